--!include epoch
-- Begins a new epoch and pauses every account, unless somebody else has done so.
-- KEYS  epoch, accounts, revision
-- ARGV  id of the epoch that is found wrong ('' = whichever there is), id of the new one, prefix of account keys
-- Result: as epoch-read
local found = redis.call('HGET', KEYS[1], 'id')
if ARGV[1] == '' or found == ARGV[1] then
  begin_epoch(KEYS[1], ARGV[2])
  pause_all(KEYS[2], ARGV[3], KEYS[3])
end
return epoch(KEYS[1])
