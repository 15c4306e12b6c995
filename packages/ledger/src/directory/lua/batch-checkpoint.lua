-- Writes a checkpoint; the first hash of a row stands.
-- KEYS  batch, its checkpoints
-- ARGV  row, hash
-- Result: 1, or 0 when another hash stands; nil when the batch is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 1 or redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then
  return 1
end
return 0
