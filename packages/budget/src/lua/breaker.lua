-- Breaker, in the account's hash: `open` (since when; absent = closed), `opens` in a row, `probeAt` (when one request may
-- try), `probe` (the worker that is trying), `probeEnd` (when it is given up), `tail` (the newest outcomes while closed).
--!include numbers
local IN_A_ROW = 5
local TAIL = 20
local BACKOFF_MIN = 1000
local BACKOFF_MAX = 30000
local PROBE_MS = 15000

local function open_breaker(key, t, opens, jitter)
  local wait = math.min(BACKOFF_MAX, BACKOFF_MIN * 2 ^ math.min(opens, 10)) * (0.75 + jitter / 4)
  redis.call('HSET', key, 'open', text(t), 'opens', opens + 1, 'probeAt', text(t + wait), 'tail', '')
  redis.call('HDEL', key, 'probe', 'probeEnd')
end

-- outcomes: `+` answered, `-` unavailable, oldest first. probe: the probe's outcome, `0` = never sent, '' = none.
local function note_outcomes(key, t, outcomes, probe, jitter)
  local opened, opens = unpack(redis.call('HMGET', key, 'open', 'opens'))
  if opened then
    if probe == '+' then
      redis.call('HDEL', key, 'open', 'opens', 'probeAt', 'probe', 'probeEnd', 'tail')
    elseif probe == '-' then
      open_breaker(key, t, tonumber(opens), jitter)
    elseif probe == '0' then
      redis.call('HDEL', key, 'probe', 'probeEnd')
    end
    -- Other outcomes belong to requests sent before it opened.
    return
  end
  if outcomes == '' then return end
  local tail = ((redis.call('HGET', key, 'tail') or '') .. outcomes):sub(-TAIL)
  local _, failures = tail:gsub('%-', '')
  if tail:sub(-IN_A_ROW) == string.rep('-', IN_A_ROW) or (#tail == TAIL and failures * 2 >= TAIL) then
    return open_breaker(key, t, 0, jitter)
  end
  redis.call('HSET', key, 'tail', tail)
end

-- The state for one worker: 'closed', 'open', or 'half' when this worker may send the probe; and ms until a probe is due.
local function breaker_state(key, t)
  local open, at, probe, finish = unpack(redis.call('HMGET', key, 'open', 'probeAt', 'probe', 'probeEnd'))
  if not open then return 'closed', 0 end
  if probe and tonumber(finish) > t then return 'open', tonumber(finish) - t end
  if tonumber(at) > t then return 'open', tonumber(at) - t end
  return 'half', 0
end

local function begin_probe(key, t, worker)
  redis.call('HSET', key, 'probe', worker, 'probeEnd', text(t + PROBE_MS))
end
