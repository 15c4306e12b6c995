-- refresh-release: a worker that ends lets go of a run, so that the next one need not wait for its lease.
-- KEYS[1] meta · ARGV id, token · Answers 1, or 0 when the run is in other hands or gone.
--!include clock
--!include store
--!include refresh-runs
if not holds_run(ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', run_key(ARGV[1]), 'heldUntil', now())
redis.call('HDEL', run_key(ARGV[1]), 'token')
return 1
