--!include clock
-- Included: reading the record of a batch, and its retention.

-- batch(key): fields and values, false when it is gone. A later pair wins over an earlier one.
local function batch(key)
  local fields = redis.call('HGETALL', key)
  if #fields == 0 then
    return false
  end
  local upload = redis.call('HMGET', key, 'upload', 'held-until')
  if upload[1] == 'receiving' and tonumber(upload[2]) <= now() then
    fields[#fields + 1] = 'upload'
    fields[#fields + 1] = 'interrupted'
  end
  return fields
end

-- hold(key, ms): its upload is alive for so long
local function hold(key, ms)
  redis.call('HSET', key, 'held-until', string.format('%.0f', now() + tonumber(ms)))
end

-- retain(): no retention while something may still be pending
local function retain()
  for _, key in ipairs(KEYS) do
    redis.call('PERSIST', key)
  end
end
