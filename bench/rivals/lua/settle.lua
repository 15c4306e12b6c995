-- settle: what came of one operation, counted once, unless a newer version is there.
-- KEYS[1] records, KEYS[2] batch · ARGV user, version, outcome, state · Answers 1 if it was the newest.
local v = (redis.call('HGET', KEYS[1], ARGV[1]) or '0'):match('^%d+')
redis.call('HINCRBY', KEYS[2], 'pending', -1)
if v ~= ARGV[2] then
  redis.call('HINCRBY', KEYS[2], 'superseded', 1)
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], v .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
return 1
