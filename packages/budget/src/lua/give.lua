-- give: what came of requests. Frees their slots, pauses everyone after a 429, opens and closes the breaker.
-- KEYS[1] `{ns:account}:budget` · ARGV worker, slots freed, good, failed, refused (429), pause ms, ms that slots last, [budget, permits unused]…
-- Answers breaker open 0|1
--!include clock
--!include slots
local worker, freed, good, failed = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local refused, pause_ms, slot_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local FAILURES_TO_OPEN = 5
local FIRST_OPEN_MS = 1000
local MOST_OPEN_MS = 30000
local t = now()
local _, mine = slots_in_use(t, worker)
hold_slots(worker, math.max(0, mine - freed), t + slot_ms)

for i = 8, #ARGV, 2 do
  redis.call('HINCRBYFLOAT', KEYS[1], 'tokens:' .. ARGV[i], ARGV[i + 1])
end
if refused > 0 then
  local paused = tonumber(redis.call('HGET', KEYS[1], 'pausedUntil') or 0)
  redis.call('HSET', KEYS[1], 'pausedUntil', math.max(paused, t + pause_ms))
  redis.call('HINCRBY', KEYS[1], 'refused', refused)
end

local got = redis.call('HMGET', KEYS[1], 'failures', 'openUntil', 'openMs')
local is_open = tonumber(got[2] or 0) > 0
if good > 0 then
  if is_open or tonumber(got[1] or 0) > 0 then redis.call('HDEL', KEYS[1], 'failures', 'openUntil', 'openMs') end
  return 0
end
if failed > 0 then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', failed)
  if failures >= FAILURES_TO_OPEN then
    local last = tonumber(got[3] or 0)
    local ms = is_open and math.min(MOST_OPEN_MS, last * 2) or FIRST_OPEN_MS
    redis.call('HSET', KEYS[1], 'openUntil', t + ms, 'openMs', ms)
    return 1
  end
end
return is_open and 1 or 0
