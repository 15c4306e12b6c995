-- Gives a lock up.
-- KEYS  lock
-- ARGV  token
-- Result: 1, or 0 when it is not ours any more
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
