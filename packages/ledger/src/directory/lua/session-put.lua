--!include account
--!include clock
-- Stores sealed cookies. Their time is their name, so that of two posted in one millisecond the second gets the next.
-- KEYS  account, sessions, revision
-- ARGV  account id, sealed cookies
-- Result: the account after the call; nil when there is none
local seen = redis.call('HMGET', KEYS[1], 'state', 'posted-at')
if not seen[1] then
  return false
end
local postedAt = math.max(now(), (tonumber(seen[2]) or 0) + 1)
local at = string.format('%.0f', postedAt)
redis.call('HSET', KEYS[2], ARGV[1], at .. ':' .. ARGV[2])
redis.call('HSET', KEYS[1], 'session', 'unknown', 'posted-at', at)
redis.call('HDEL', KEYS[1], 'checked-at')
if seen[1] == 'parked' then
  redis.call('HSET', KEYS[1], 'reason', 'session_unchecked')
end
changed(KEYS[1], KEYS[3])
return account(KEYS[1])
