-- Gives the lease up. The resource stays: what was begun for it is gone on with.
-- KEYS  request
-- ARGV  lease
-- Result: 1, or 0 when another has the lease or the request is answered
if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'held-until', '0')
redis.call('HDEL', KEYS[1], 'lease')
return 1
