--!include account
-- Moves an account to a state, if it is in one of those named.
-- KEYS  account, revision
-- ARGV  state, reason ('' = none), number of states it may be in (0 = any), those states
-- Result: the account after the call; nil when there is none
local state = redis.call('HGET', KEYS[1], 'state')
if not state then
  return false
end
local count = tonumber(ARGV[3])
local may = count == 0
for i = 4, 3 + count do
  may = may or ARGV[i] == state
end
if may then
  move(KEYS[1], ARGV[1], ARGV[2])
  changed(KEYS[1], KEYS[2])
end
return account(KEYS[1])
