--!include account
--!include clock
-- Included: the epoch of the directory.

-- epoch(key): id, made, beat, gap-from, gap-to and the time now; false when there is none
local function epoch(key)
  local fields = redis.call('HMGET', key, 'id', 'made', 'beat', 'gap-from', 'gap-to')
  if not fields[1] then
    return false
  end
  fields[6] = string.format('%.0f', now())
  return fields
end

-- begin_epoch(key, id)
local function begin_epoch(key, id)
  local at = string.format('%.0f', now())
  redis.call('DEL', key)
  redis.call('HSET', key, 'id', id, 'made', at, 'beat', at, 'schema', 1)
end

-- pause_all(accounts, prefix, revision): whoever remembers a revision of before must not take this state for the one it knows
local function pause_all(accounts, prefix, revision)
  local counted = tonumber(redis.call('GET', revision) or 0)
  redis.call('SET', revision, string.format('%.0f', math.max(counted, now())))
  for _, id in ipairs(redis.call('SMEMBERS', accounts)) do
    move(prefix .. id, 'paused', 'redis_restored')
    changed(prefix .. id, revision)
  end
  redis.call('INCR', revision)
end
