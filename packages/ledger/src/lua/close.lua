-- close: forgets a chunk, if this job still holds it. Only when every key of it got a definite answer from claim (R31).
-- KEYS[1] meta · ARGV lane, job, chunk · Answers 1 if closed.
local tag = KEYS[1]:sub(1, -7)
local took = tag .. 'took:' .. ARGV[1]
if redis.call('HGET', took, ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('HDEL', took, ARGV[2])
return redis.call('HDEL', tag .. 'chunks', ARGV[3])
