-- Replaces a sealed session by the same one under another key, unless it has changed meanwhile.
-- KEYS  sessions
-- ARGV  account id, the value that was read, the new value
-- Result: 1, or 0 when it has changed
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
