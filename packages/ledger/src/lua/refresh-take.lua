-- refresh-take: puts a run in the hands of a worker, from the first page on; a report that is complete stands.
-- KEYS[1] meta · ARGV id, token, lease ms, retention ms · Answers { over } | { held } | { taken, script, mode, compared 0|1 }
--!include clock
--!include store
--!include refresh-runs
local id, token, t = ARGV[1], ARGV[2], now()
local key = run_key(id)
local got = redis.call('HMGET', key, 'state', 'script', 'mode', 'compared', 'token', 'heldUntil')
if got[1] ~= 'queued' and got[1] ~= 'running' then return { 'over' } end
if got[5] and tonumber(got[6]) > t then return { 'held' } end
redis.call('HSET', key, 'state', 'running', 'token', token, 'heldUntil', t + tonumber(ARGV[3]), 'pages', 0, 'members', 0)
redis.call('HSETNX', key, 'startedAt', t)
if got[4] ~= '1' then
  for _, kind in ipairs(DRIFT_KINDS) do
    redis.call('HDEL', key, kind)
    redis.call('DEL', drift_key(id, kind))
  end
end
keep_run(id, ARGV[4])
return { 'taken', got[2], got[3], got[4] or '0' }
