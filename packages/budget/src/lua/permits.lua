-- Permits of one budget by GCRA without burst: `tat` is when the next one may be sent. Fields of the account's hash, each
-- behind the budget's name: `tat`, `gap` (ms in which none was scheduled), `rate` (permits/s), `pause` (until),
-- `single`, `bulk` (until when somebody of that class waits), `credit` (what singles owe to bulk).
--!include numbers
local SINGLE_AHEAD = 250
local BULK_AHEAD = 150
local WAITING_MS = 250
local BULK_SHARE = 10
local TURN_MS = 50
local UNLIMITED = 1e9

local function open_budget(key, name, start, t, paused)
  local v = redis.call('HMGET', key, name .. ':tat', name .. ':gap', name .. ':rate', name .. ':pause', name .. ':single',
    name .. ':bulk', name .. ':credit')
  local rate = tonumber(v[3] or start)
  return {
    key = key, name = name, rate = rate, interval = 1000 / rate, limited = rate < UNLIMITED,
    tat = tonumber(v[1]) or t, gap = tonumber(v[2]) or 0, paused = math.max(paused, tonumber(v[4]) or 0),
    single = tonumber(v[5]) or 0, bulk = tonumber(v[6]) or 0, credit = tonumber(v[7]) or 0,
  }
end

-- Unused permits come back only if they are the last ones: a hole in the middle of the schedule is time gone by.
local function refund(b, t, n, from)
  if n == 0 or not b.limited then return end
  if math.abs(b.tat - n * b.interval - from) < 0.01 then
    b.tat = math.max(t, from)
  else
    b.gap = b.gap + n * b.interval
  end
end

local function hand_out(b, t, n, ahead)
  if not b.limited then return n, t end
  local from = math.max(b.tat, t)
  if n == 0 or from > t + ahead then return 0, 0 end
  local count = math.min(n, math.floor((t + ahead - from) / b.interval) + 1)
  b.gap = b.gap + (from - b.tat)
  b.tat = from + count * b.interval
  return count, from
end

-- Returns how many singles get, from when on, and how long the others wait (ms).
local function grant_singles(b, t, wanted, room)
  if wanted == 0 then return 0, 0, -1 end
  if t < b.paused then return 0, 0, b.paused - t end
  local count, from = hand_out(b, t, math.min(wanted, room), SINGLE_AHEAD)
  if b.bulk > t then b.credit = math.min(5, b.credit + count / (BULK_SHARE - 1)) end
  if count == wanted then return count, from, -1 end
  local wait = math.max(0, b.tat - SINGLE_AHEAD - t)
  if b.limited then b.single = t + wait + WAITING_MS end
  return count, from, wait
end

local function grant_bulk(b, t, wanted, room)
  if wanted == 0 then return 0, 0, -1 end
  if t < b.paused then return 0, 0, b.paused - t end
  local n, ahead, credit = math.min(wanted, room), BULK_AHEAD, math.floor(b.credit + 0.001)
  if b.single > t or (credit > 0 and b.tat > t + ahead) then
    -- One interval further than singles may reach, or they would always be there first.
    n, ahead = math.min(n, credit), SINGLE_AHEAD + b.interval
  end
  local count, from = hand_out(b, t, n, ahead)
  b.credit = math.max(0, b.credit - count)
  if count == wanted then return count, from, -1 end
  -- Asking again when half of what lies ahead is used up brings several at once, and none too late.
  local wait = math.max(0, b.tat - BULK_AHEAD / 2 - t)
  if b.single > t then wait = math.min(math.max(wait, b.interval, TURN_MS), b.single - t + 1) end
  if b.limited then b.bulk = t + wait + WAITING_MS end
  return count, from, wait
end

local function save_budget(b)
  local name = b.name
  redis.call('HSET', b.key, name .. ':tat', text(b.tat), name .. ':gap', text(b.gap), name .. ':single', text(b.single),
    name .. ':bulk', text(b.bulk), name .. ':credit', text(b.credit))
end
