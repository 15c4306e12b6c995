--!include epoch
-- Reads the epoch. Where there is none it begins one; accounts without an epoch come from somewhere else and are paused.
-- KEYS  epoch, accounts, revision
-- ARGV  id to begin with, prefix of account keys
-- Result: as epoch-read
if redis.call('EXISTS', KEYS[1]) == 0 then
  begin_epoch(KEYS[1], ARGV[1])
  if redis.call('SCARD', KEYS[2]) > 0 then
    pause_all(KEYS[2], ARGV[2], KEYS[3])
  end
end
return epoch(KEYS[1])
