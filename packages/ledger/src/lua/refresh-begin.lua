-- refresh-begin: a run of one script, unless another one of it is not over.
-- KEYS[1] meta · ARGV id, script, mode report|adopt, retention ms · Answers { begun|known|busy, id of the run }
--!include clock
--!include store
--!include refresh-runs
local id, script = ARGV[1], ARGV[2]
if redis.call('EXISTS', run_key(id)) == 1 then return { 'known', id } end
local other = redis.call('HGET', refreshing_key, script)
if other and redis.call('EXISTS', run_key(other)) == 1 then return { 'busy', other } end
redis.call('HSET', refreshing_key, script, id)
redis.call('HSET', run_key(id), 'script', script, 'mode', ARGV[3], 'state', 'queued', 'createdAt', now(), 'heldUntil', now())
keep_run(id, ARGV[4])
return { 'begun', id }
