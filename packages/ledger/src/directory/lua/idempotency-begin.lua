--!include clock
-- Says what is to be done with a request that carries an idempotency key.
-- KEYS  request, requests begun by hour
-- ARGV  fingerprint of its body ('' = not known yet), resource, lease, ms of the lease, retention in ms
-- Result: { 'fresh' or 'resume', lease, resource }, { 'stored', status, body, fingerprint }, { 'busy', ms left } or { 'differs' }
local HOUR_MS = 3600000
local fingerprint, resource, lease = ARGV[1], ARGV[2], ARGV[3]
local seen = redis.call('HMGET', KEYS[1], 'resource', 'fingerprint', 'held-until', 'status', 'body')
local verdict = 'fresh'

if seen[1] then
  if seen[2] ~= '' and fingerprint ~= '' and seen[2] ~= fingerprint then
    return { 'differs' }
  end
  if seen[4] then
    return { 'stored', seen[4], seen[5], seen[2] }
  end
  local left = tonumber(seen[3]) - now()
  if left > 0 then
    return { 'busy', left }
  end
  verdict, resource = 'resume', seen[1]
  if seen[2] ~= '' then
    fingerprint = seen[2]
  end
end

local heldUntil = string.format('%.0f', now() + tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'resource', resource, 'fingerprint', fingerprint, 'lease', lease, 'held-until', heldUntil)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if verdict == 'fresh' then
  local hour = math.floor(now() / HOUR_MS)
  -- With the first request of an hour those go whose requests have expired.
  if redis.call('HINCRBY', KEYS[2], hour, 1) == 1 then
    local oldest = math.floor((now() - tonumber(ARGV[5])) / HOUR_MS)
    for _, each in ipairs(redis.call('HKEYS', KEYS[2])) do
      if tonumber(each) < oldest then redis.call('HDEL', KEYS[2], each) end
    end
  end
end
return { verdict, lease, resource }
