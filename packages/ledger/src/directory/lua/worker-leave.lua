-- A worker stops: the others take over its accounts at once.
-- KEYS  workers, channel (the revision's name)
-- ARGV  worker
-- Result: 1 if it was known
local known = redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('PUBLISH', KEYS[2], 'workers')
return known
