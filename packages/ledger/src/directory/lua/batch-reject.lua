-- Stores verdicts on rows; the first one on a row stands.
-- KEYS  batch, its checkpoints, its rejections, its rejected rows
-- ARGV  first and last row of the chunk (0, 0 = none), how many rejections are kept in full, number of rejections, and of each row and JSON
-- Result: the rows of the chunk that stand rejected; nil when the batch is gone
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local from, to, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local seen = redis.call('HMGET', KEYS[1], 'decided', 'rejected')
local decided, rejected = tonumber(seen[1] or 0), tonumber(seen[2] or 0)

for i = 5, 4 + 2 * tonumber(ARGV[4]), 2 do
  if tonumber(ARGV[i]) > decided and redis.call('SETBIT', KEYS[4], ARGV[i], 1) == 0 then
    if rejected < kept then
      redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 1])
    end
    rejected = rejected + 1
  end
end
redis.call('HSET', KEYS[1], 'rejected', rejected, 'decided', math.max(decided, to))

local rows = {}
if to > 0 then
  local first = math.floor(from / 8)
  local bytes = redis.call('GETRANGE', KEYS[4], first, math.floor(to / 8))
  for row = from, to do
    local byte = bytes:byte(math.floor(row / 8) - first + 1) or 0
    if math.floor(byte / 2 ^ (7 - row % 8)) % 2 == 1 then
      rows[#rows + 1] = row
    end
  end
end
return rows
