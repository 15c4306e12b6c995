--!include batch
-- KEYS  batch and what belongs to it
-- ARGV  receiving, interrupted or complete; rows received so far; ms for which the upload is held if it is receiving
-- Result: 1; nil when the batch is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local rows = math.max(tonumber(redis.call('HGET', KEYS[1], 'rows') or 0), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'upload', ARGV[1], 'rows', string.format('%.0f', rows))
if ARGV[1] == 'receiving' then
  hold(KEYS[1], ARGV[3])
end
retain()
return 1
