-- Removes an account, its session and its routes; the indexes it has given stay.
-- KEYS  accounts, account, scripts, sessions, due, revision
-- ARGV  id
-- Result: 1, or 0 when there is no such account
local config = redis.call('HGET', KEYS[2], 'config')
if not config then
  return 0
end
for _, script in ipairs(cjson.decode(config).scripts) do
  redis.call('HDEL', KEYS[3], script)
end
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('INCR', KEYS[6])
redis.call('PUBLISH', KEYS[6], 'changed')
return 1
