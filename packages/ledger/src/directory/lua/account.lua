-- Included: reading and changing the hash of one account.

-- account(key): its fields in the order that parseAccount expects
local function account(key)
  return redis.call('HMGET', key, 'config', 'state', 'reason', 'session', 'checked-at', 'posted-at', 'revision')
end

-- changed(key, counter): gives it the next revision; every script that writes an account ends with it. Whoever follows the accounts
-- listens on the channel that is called like the counter.
local function changed(key, counter)
  redis.call('HSET', key, 'revision', redis.call('INCR', counter))
  redis.call('PUBLISH', counter, 'changed')
end

-- move(key, state, reason): reason '' = none
local function move(key, state, reason)
  if state == 'active' and not redis.call('HGET', key, 'posted-at') then
    state, reason = 'parked', 'session_missing'
  end
  redis.call('HSET', key, 'state', state)
  if reason == '' then
    redis.call('HDEL', key, 'reason')
  else
    redis.call('HSET', key, 'reason', reason)
  end
end
