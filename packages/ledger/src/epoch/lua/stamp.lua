-- stamp: from now on a tag belongs to an epoch. KEYS[1] epoch hash · ARGV epoch, time of the beat, ms,
--   since when what it knows may be believed, ms ('' = from now on) · Answers 1
local t = redis.call('TIME')
local since = ARGV[3] ~= '' and ARGV[3] or string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'beat', ARGV[2], 'since', since)
return 1
