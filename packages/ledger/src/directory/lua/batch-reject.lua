-- Stores rejections; the first one of a row stands.
-- KEYS  batch, its checkpoints, its rejections, its rejected rows
-- ARGV  how many rejections are kept in full, number of rejections, and of each row and JSON
-- Result: rejections so far; nil when the batch is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local kept = tonumber(ARGV[1])
local rejected = tonumber(redis.call('HGET', KEYS[1], 'rejected') or 0)
for i = 3, 2 + 2 * tonumber(ARGV[2]), 2 do
  if redis.call('SETBIT', KEYS[4], ARGV[i], 1) == 0 then
    if rejected < kept then
      redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 1])
    end
    rejected = rejected + 1
  end
end
redis.call('HSET', KEYS[1], 'rejected', rejected)
return rejected
