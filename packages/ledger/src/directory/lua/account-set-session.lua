--!include account
--!include clock
-- Takes the result of a check of the cookies posted at a time. A result about cookies that have been replaced is ignored.
-- KEYS  account, revision, audit
-- ARGV  'ok' or 'dead', the time the cookies were posted, account id, entries that the audit keeps
-- Result: the account after the call and '1' if it was parked or resumed, else '0'; nil when there is none
local seen = redis.call('HMGET', KEYS[1], 'state', 'posted-at')
if not seen[1] then
  return false
end

-- audited(to, reason): nobody asked for this change, so nobody but this call can say that it happened
local moved = '0'
local function audited(to, reason)
  moved = '1'
  local entry = { actor = 'system', actorName = 'session check', address = cjson.null, action = 'account.session', target = ARGV[3],
    reason = cjson.null, before = { state = seen[1] }, after = { state = to, reason = reason }, result = 'done', code = cjson.null }
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'entry', cjson.encode(entry))
end

if seen[2] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'session', ARGV[1], 'checked-at', now())
  -- In the same call, or a process that died between the two would leave a live session parked.
  if ARGV[1] == 'dead' and seen[1] == 'active' then
    move(KEYS[1], 'parked', 'session_dead')
    audited('parked', 'session_dead')
  elseif ARGV[1] == 'dead' and seen[1] == 'parked' then
    redis.call('HSET', KEYS[1], 'reason', 'session_dead')
  elseif ARGV[1] == 'ok' and seen[1] == 'parked' then
    move(KEYS[1], 'active', '')
    audited('active', cjson.null)
  end
  changed(KEYS[1], KEYS[2])
end
local reply = account(KEYS[1])
reply[#reply + 1] = moved
return reply
