--!include clock
-- KEYS  request
-- ARGV  lease, ms of the lease, retention in ms
-- Result: 1, or 0 when another has the lease or the request is answered
if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'held-until', string.format('%.0f', now() + tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
