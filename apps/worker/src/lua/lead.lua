-- lead: takes or renews the leader's lock. KEYS[1] lock · ARGV token, ms · Answers 1 if it is ours.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
