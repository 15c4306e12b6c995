--!include batch
-- KEYS  batch
-- Result: its record after the call; nil when it is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
redis.call('HSET', KEYS[1], 'cancelled', '1')
return batch(KEYS[1])
