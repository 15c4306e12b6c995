-- Stores the answer and ends the lease.
-- KEYS  request
-- ARGV  lease, fingerprint, status, body, retention in ms
-- Result: 'done'; 'lost' when another has the lease or the request is answered; 'differs' when another body was begun under the key
local seen = redis.call('HMGET', KEYS[1], 'lease', 'fingerprint')
if seen[1] ~= ARGV[1] then
  return 'lost'
end
if seen[2] ~= '' and seen[2] ~= ARGV[2] then
  return 'differs'
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'status', ARGV[3], 'body', ARGV[4])
redis.call('HDEL', KEYS[1], 'lease')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'done'
