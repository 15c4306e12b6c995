--!include batch
-- Creates a batch in state receiving.
-- KEYS  batch, batches, number of the newest
-- ARGV  id, source, ms for which its upload is held, prefix of batch keys, 0 when its revokes are refused
-- Result: 1, or 0 when it exists
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
redis.call('HSET', KEYS[1], 'source', ARGV[2], 'upload', 'receiving', 'created-at', string.format('%.0f', now()))
if ARGV[5] == '0' then
  redis.call('HSET', KEYS[1], 'accept-revokes', '0')
end
hold(KEYS[1], ARGV[3])

-- Redis does not tell when a record expires. Three looked at for each one added keep the list short for ever.
for _, id in ipairs(redis.call('ZRANDMEMBER', KEYS[2], 3)) do
  if redis.call('EXISTS', ARGV[4] .. id) == 0 then
    redis.call('ZREM', KEYS[2], id)
  end
end
return 1
