--!include clock
-- Says what is to be done with a request that carries an idempotency key.
-- KEYS  request
-- ARGV  fingerprint of its body ('' = not known yet), resource, lease, ms of the lease, retention in ms
-- Result: { 'fresh' or 'resume', lease, resource }, { 'stored', status, body, fingerprint }, { 'busy', ms left } or { 'differs' }
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
return { verdict, lease, resource }
