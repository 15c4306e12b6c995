-- Replaces a field of a hash, unless it has changed meanwhile: a session sealed under another key, an API key with other settings.
-- KEYS  hash
-- ARGV  field, the value that was read, the new value
-- Result: 1, or 0 when it has changed
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
