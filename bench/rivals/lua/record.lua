-- record: a new version of each access, and the batch's counter.
-- KEYS[1] records, KEYS[2] batch · ARGV state wanted, users… · Answers the versions.
local versions = {}
for i = 2, #ARGV do
  local v = tonumber((redis.call('HGET', KEYS[1], ARGV[i]) or '0'):match('^%d+')) + 1
  redis.call('HSET', KEYS[1], ARGV[i], v .. ' pending ' .. ARGV[1])
  versions[#versions + 1] = v
end
redis.call('HINCRBY', KEYS[2], 'pending', #ARGV - 1)
return versions
