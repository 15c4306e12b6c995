-- step-down: frees the leader's lock if it is ours. KEYS[1] lock · ARGV token · Answers 1 if freed.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
