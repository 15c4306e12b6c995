-- look-at-chunks: what jobs hold, without taking anything.
-- KEYS[1] meta · ARGV lane, jobs · Answers for each job {chunk id, chunk text} or false
local tag = KEYS[1]:sub(1, -7)
local out = {}
for i = 2, #ARGV do
  local id = redis.call('HGET', tag .. 'took:' .. ARGV[1], ARGV[i])
  local text = id and redis.call('HGET', tag .. 'chunks', id)
  out[i - 1] = text and { id, text } or false
end
return out
