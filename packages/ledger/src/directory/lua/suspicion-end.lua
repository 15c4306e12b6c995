-- Ends a suspicion, and tells what was found.
-- KEYS  suspicion, channel (the revision's name)
-- ARGV  account id, result
-- Result: 1
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', KEYS[2], ARGV[2] .. ' ' .. ARGV[1])
return 1
