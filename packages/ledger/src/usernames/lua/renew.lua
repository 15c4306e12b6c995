-- Holds a lock for longer.
-- KEYS  lock
-- ARGV  token, ms
-- Result: 1, or 0 when it is not ours any more
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
