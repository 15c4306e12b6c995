-- take: the chunk this job already took (R34), else the next one in turn.
-- KEYS[1] meta · ARGV lane, job · Answers {chunk id, chunk text} or nil.
local tag = KEYS[1]:sub(1, -7)
local lane, job = ARGV[1], ARGV[2]
local took = tag .. 'took:' .. lane
local id = redis.call('HGET', took, job)
if not id then
  local turn = redis.call('LPOP', tag .. 'turns:' .. lane)
  if not turn then return nil end
  local wait = tag .. 'wait:' .. lane .. ':' .. turn
  id = redis.call('LPOP', wait)
  if redis.call('EXISTS', wait) == 1 then redis.call('RPUSH', tag .. 'turns:' .. lane, turn) end
  redis.call('HINCRBY', KEYS[1], 'waiting:' .. lane, -1)
  redis.call('HSET', took, job, id)
end
return { id, redis.call('HGET', tag .. 'chunks', id) }
