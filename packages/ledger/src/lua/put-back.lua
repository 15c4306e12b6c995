-- put-back: a chunk whose job is gone, completed or failed goes back to the head of its turn, if that job still holds it.
-- KEYS[1] meta · ARGV lane, job, chunk · Answers 1 if put back.
--!include store
--!include chunks
local lane, job, id = ARGV[1], ARGV[2], ARGV[3]
local took = tag .. 'took:' .. lane
if redis.call('HGET', took, job) ~= id then return 0 end
redis.call('HDEL', took, job)
local text = redis.call('HGET', tag .. 'chunks', id)
if not text then return 0 end
queue_chunk(lane, text:match('^%S+ %S+ %S+ ([^\n]*)'), id, true)
return 1
