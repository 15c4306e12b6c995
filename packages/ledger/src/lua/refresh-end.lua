-- refresh-end: a run is over.
-- KEYS[1] meta · ARGV id, token, state done|failed, code or '', retention ms · Answers 1, or 0 when the run is in other hands or gone.
--!include clock
--!include store
--!include refresh-runs
local id, key = ARGV[1], run_key(ARGV[1])
if not holds_run(id, ARGV[2]) then return 0 end
redis.call('HSET', key, 'state', ARGV[3], 'code', ARGV[4], 'endedAt', now())
redis.call('HDEL', key, 'token')
local script = redis.call('HGET', key, 'script')
if redis.call('HGET', refreshing_key, script) == id then redis.call('HDEL', refreshing_key, script) end
keep_run(id, ARGV[5])
return 1
