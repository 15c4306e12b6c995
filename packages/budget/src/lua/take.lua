-- One call of a worker: what came of earlier requests, which slots it needs, which permits it wants.
-- KEYS: 1 the account's budget hash, 2 its slots.
-- ARGV: worker, cap, leaseMs, singles and bulk in use, singles and bulk wanted (with those in use), singles and bulk
--   permits in stock, jitter 0..1, outcomes, probe outcome, then for each budget: name, start rate, version known, good
--   answers, refusals, pause asked for by Retry-After (ms), permits given back, the first one's time, singles wanted, bulk wanted.
-- Answers: now, account paused until, breaker, singles and bulk slots, ms until slots are worth asking for again, then for
--   each budget: version, state ('' if known), good, gap, ms ahead, rate, paused until, and for singles and for bulk: count,
--   first time, wait (-1 none).
--!include clock
--!include numbers
--!include breaker
--!include slots
--!include permits
local key, t = KEYS[1], now()
local worker, cap, leaseMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local mine = {
  singles = tonumber(ARGV[4]), bulk = tonumber(ARGV[5]),
  wantSingles = tonumber(ARGV[6]), wantBulk = tonumber(ARGV[7]),
}
local FIRST, FIELDS = 13, 10

note_outcomes(key, t, ARGV[11], ARGV[12], tonumber(ARGV[10]))
local paused = tonumber(redis.call('HGET', key, 'paused') or 0)
for i = FIRST, #ARGV, FIELDS do
  if ARGV[i + 4] ~= '0' then redis.call('HINCRBY', key, 'refused', ARGV[i + 4]) end
  local retryAfter = tonumber(ARGV[i + 5])
  if retryAfter > 0 and t + retryAfter > paused then
    paused = t + retryAfter
    redis.call('HSET', key, 'paused', text(paused))
  end
end

local singles, bulk = share_slots(KEYS[2], t, worker, cap, leaseMs, mine)
local breaker, breakerWait = breaker_state(key, t)
-- A permit out of reach of any slot would only be sent late.
local room = {
  singles = math.max(0, 2 * singles - mine.singles - tonumber(ARGV[8])),
  bulk = math.max(0, 2 * bulk - mine.bulk - tonumber(ARGV[9])),
}
local slotsWait = -1
if (mine.wantSingles > 0 and singles == 0) or (mine.wantBulk > 0 and bulk == 0) then slotsWait = 50 end
if breaker == 'open' then room = { singles = 0, bulk = 0 } end

local function within(n, class)
  return breaker == 'half' and math.min(1, n) or math.min(n, room[class])
end

local function after(count, class)
  room[class] = room[class] - count
  if breaker == 'half' and count > 0 then
    begin_probe(key, t, worker)
    breaker, breakerWait = 'open', 0
    room = { singles = 0, bulk = 0 }
    return true
  end
  return false
end

local function wait_for(wait)
  return wait >= 0 and math.max(wait, breakerWait) or wait
end

local answer = { text(t), text(paused), '', singles, bulk, slotsWait }
local probing = false
for i = FIRST, #ARGV, FIELDS do
  local name, known = ARGV[i], ARGV[i + 2]
  local b = open_budget(key, name, tonumber(ARGV[i + 1]), t, paused)
  refund(b, t, tonumber(ARGV[i + 6]), tonumber(ARGV[i + 7]))
  local good = redis.call('HINCRBY', key, name .. ':good', ARGV[i + 3])
  local n, from, wait = grant_singles(b, t, tonumber(ARGV[i + 8]), within(tonumber(ARGV[i + 8]), 'singles'))
  probing = after(n, 'singles') or probing
  local m, bulkFrom, bulkWait = grant_bulk(b, t, tonumber(ARGV[i + 9]), within(tonumber(ARGV[i + 9]), 'bulk'))
  probing = after(m, 'bulk') or probing
  save_budget(b)
  local version, state = redis.call('HGET', key, name .. ':version') or '0', ''
  if version ~= known and version ~= '0' then state = redis.call('HGET', key, name .. ':state') end
  for _, x in ipairs({
    version, state, good, text(b.gap + math.max(0, t - b.tat)), text(math.max(0, b.tat - t)), text(b.rate),
    text(b.paused), n, text(from), text(wait_for(wait)), m, text(bulkFrom), text(wait_for(bulkWait)),
  }) do answer[#answer + 1] = x end
end
answer[3] = probing and 'probe' or breaker
return answer
