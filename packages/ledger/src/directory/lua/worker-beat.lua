--!include clock
-- A worker says that it runs. Those not heard of for a while, or heard of in the future, are forgotten.
-- KEYS  workers, revision (also the channel)
-- ARGV  worker, ms that a beat counts
-- Result: { revision, the workers that run }
local t, ttl = now(), tonumber(ARGV[2])
local joined = redis.call('ZADD', KEYS[1], t, ARGV[1])
local gone = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', t - ttl) + redis.call('ZREMRANGEBYSCORE', KEYS[1], t + ttl, '+inf')
if joined + gone > 0 then
  redis.call('PUBLISH', KEYS[2], 'workers')
end
return { redis.call('GET', KEYS[2]) or '0', redis.call('ZRANGE', KEYS[1], 0, -1) }
