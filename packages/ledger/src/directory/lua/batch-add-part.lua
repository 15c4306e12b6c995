--!include batch
-- Notes that an account has a part of the batch.
-- KEYS  batch and what belongs to it
-- ARGV  account, class of its lane
-- Result: 1; nil when the batch is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
redis.call('HSET', KEYS[1], 'lane', ARGV[2], 'part:' .. ARGV[1], '1')
retain()
return 1
