-- take: permits for requests of one budget, as many as may go now.
-- KEYS[1] `{ns:account}:budget` · ARGV worker, budget, wanted, bulk 0|1, requests a second or '' (unlimited), requests in flight at most, ms that slots last
-- Answers {granted, ms to wait when none was, breaker open 0|1}
--!include clock
--!include slots
local worker, budget, wanted, bulk = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local rate, cap, slot_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local AHEAD_MS = 250
local SINGLE_WAITS_MS = 1000
local SLOT_RETRY_MS = 50
local PROBE_MS = 7000
local t = now()
local got = redis.call('HMGET', KEYS[1], 'pausedUntil', 'openUntil', 'singleUntil', 'turn', 'tokens:' .. budget, 'at:' .. budget)
local paused, open_until, single_until = tonumber(got[1] or 0), tonumber(got[2] or 0), tonumber(got[3] or 0)
local is_open = open_until > 0

if paused > t then return { 0, paused - t, is_open and 1 or 0 } end
if is_open and open_until > t then return { 0, open_until - t, 1 } end

local used, mine = slots_in_use(t, worker)
local free = (bulk and math.max(1, math.floor(cap * 7 / 8)) or cap) - used
local n = math.max(0, math.min(wanted, free))
local wait = SLOT_RETRY_MS
local tokens

if rate then
  -- A bucket that holds a quarter of a second: that much may go at once, and nobody is ever further ahead.
  local burst = math.max(1, rate * AHEAD_MS / 1000)
  tokens = math.min(burst, tonumber(got[5] or burst) + (t - tonumber(got[6] or t)) * rate / 1000)
  local whole = math.floor(tokens + 1e-9)
  if whole < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
  n = math.min(n, whole)
end

if bulk and single_until > t and n > 0 then
  -- While singles wait, bulk gets one permit in ten.
  local turn = redis.call('HINCRBY', KEYS[1], 'turn', 1)
  n = turn % 10 == 0 and 1 or 0
  wait = rate and math.ceil(1000 / rate) or 5
end
if n > 0 and is_open then
  -- One probe at a time closes the breaker, or opens it for longer.
  n = 1
  redis.call('HSET', KEYS[1], 'openUntil', t + PROBE_MS)
end

if not bulk then redis.call('HSET', KEYS[1], 'singleUntil', n == 0 and t + SINGLE_WAITS_MS or 0) end
if tokens then
  redis.call('HSET', KEYS[1], 'tokens:' .. budget, string.format('%.6f', tokens - n), 'at:' .. budget, t)
end
if n > 0 then hold_slots(worker, mine + n, t + slot_ms) end
return { n, n > 0 and 0 or wait, is_open and 1 or 0 }
