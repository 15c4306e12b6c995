-- Stores a budget's controller state if nobody else has since it was read.
-- KEYS: 1 the account's budget hash. ARGV: budget, version read, state, permits/s now, paused until.
-- Answers: 1 and the new version; or 0, the version there is and its state.
--!include clock
--!include numbers
local key, name = KEYS[1], ARGV[1]
local version = redis.call('HGET', key, name .. ':version') or '0'
if version ~= ARGV[2] then return { 0, version, redis.call('HGET', key, name .. ':state') } end

-- The next permit follows the last one at the new distance.
local tat, before = unpack(redis.call('HMGET', key, name .. ':tat', name .. ':rate'))
local rate = tonumber(ARGV[4])
if tat and before and tonumber(before) ~= rate then
  local t = now()
  local last = tonumber(tat) - 1000 / tonumber(before)
  if tonumber(tat) > t then redis.call('HSET', key, name .. ':tat', text(math.max(t, last + 1000 / rate))) end
end
redis.call('HSET', key, name .. ':state', ARGV[3], name .. ':rate', ARGV[4], name .. ':pause', ARGV[5])
return { 1, redis.call('HINCRBY', key, name .. ':version', 1) .. '' }
