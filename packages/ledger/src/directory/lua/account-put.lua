--!include account
-- Creates or replaces an account, routes its scripts to it and gives indexes to those that are new.
-- KEYS  accounts, account, scripts, indexes, revision
-- ARGV  id, config as JSON, number of scripts, the scripts
-- Result: { 'taken', script, owner }, nothing written; or { 'created' or 'replaced', account }
local id, count = ARGV[1], tonumber(ARGV[3])

for i = 4, 3 + count do
  local route = redis.call('HGET', KEYS[3], ARGV[i])
  local owner = route and route:match('^[^:]+')
  if owner and owner ~= id then
    return { 'taken', ARGV[i], owner }
  end
end

local wanted = {}
for i = 4, 3 + count do
  wanted[ARGV[i]] = true
end
local config = redis.call('HGET', KEYS[2], 'config')
for _, script in ipairs(config and cjson.decode(config).scripts or {}) do
  if not wanted[script] then
    redis.call('HDEL', KEYS[3], script)
  end
end

for i = 4, 3 + count do
  if redis.call('HEXISTS', KEYS[3], ARGV[i]) == 0 then
    local index = redis.call('HINCRBY', KEYS[4], id, 1)
    redis.call('HSET', KEYS[4], id .. ':' .. index, ARGV[i])
    redis.call('HSET', KEYS[3], ARGV[i], id .. ':' .. index)
  end
end

redis.call('SADD', KEYS[1], id)
redis.call('HSET', KEYS[2], 'config', ARGV[2])
if not config then
  redis.call('HSET', KEYS[2], 'state', 'parked', 'reason', 'session_missing', 'session', 'unknown')
end
changed(KEYS[2], KEYS[5])
return { config and 'replaced' or 'created', account(KEYS[2]) }
