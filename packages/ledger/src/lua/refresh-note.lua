-- refresh-note: renews the lease of a run and notes how far it is.
-- KEYS[1] meta · ARGV id, token, lease ms, retention ms, entries kept of each kind, JSON {set = {field = number}, drift = {kind = [entry, …]}}
-- Answers 1, or 0 when the run is in other hands or gone.
--!include clock
--!include store
--!include refresh-runs
local id, kept = ARGV[1], tonumber(ARGV[5])
if not holds_run(id, ARGV[2]) then return 0 end
local key = run_key(id)
local note = cjson.decode(ARGV[6])
redis.call('HSET', key, 'heldUntil', now() + tonumber(ARGV[3]))
for field, value in pairs(note.set or {}) do redis.call('HSET', key, field, value) end
for kind, entries in pairs(note.drift or {}) do
  redis.call('HINCRBY', key, kind, #entries)
  local list = drift_key(id, kind)
  local room = kept - redis.call('LLEN', list)
  for i = 1, math.min(#entries, room) do redis.call('RPUSH', list, cjson.encode(entries[i])) end
end
keep_run(id, ARGV[4])
return 1
