-- Parts: the one place that counts (I8). A part is `part:<number>`, found by `id:<batch or operation id>`.
-- Counts gather per call and are written by flush_parts, in the same Lua that moves the contributors.
--!include history
local parts = {}
local lanes_pending = {}

local function action_of(c)
  return c.k == 'r' and 'revoke' or 'grant'
end

local function part_key(number)
  return tag .. 'part:' .. number
end

local function part_of(number)
  local p = parts[number]
  if not p then
    local got = redis.call('HMGET', part_key(number), 'id', 'kind', 'class', 'turn', 'at', 'keep', 'source', 'validate')
    p = { number = number, id = got[1], kind = got[2], class = got[3], turn = got[4], at = tonumber(got[5] or 0), keep = tonumber(got[6] or 0),
      source = got[7], validate = got[8] == '1', total = 0, pending = 0, settled = 0, outcomes = {}, lanes = {}, endings = {} }
    parts[number] = p
  end
  return p
end

local function lane_of(c, p)
  return action_of(c) .. (p.class == 'b' and '-bulk' or '')
end

local function count(p, c, total, pending)
  p.total = p.total + total
  p.pending = p.pending + pending
  local lane = lane_of(c, p)
  lanes_pending[lane] = (lanes_pending[lane] or 0) + pending
  p.lanes[lane] = (p.lanes[lane] or 0) + pending
end

-- A contributor was accepted (or came back by a redrive).
local function accepted(c, total)
  count(part_of(c.p), c, total, 1)
end

-- What is kept of an operation that ended badly, as JSON. w = version of the access then; l = something that replaces it had been accepted.
local function failure_out(e, c, outcome, code, at, replaced)
  return cjson.encode({ s = e.script, n = spelled(e.name, e.r.case), v = c.v, o = outcome, c = code, x = contributor_out(c), at = at, w = e.r.v,
    l = replaced })
end

local function redo_key(e)
  return tag .. 'redo:' .. e.key
end

-- The newest operations of the account that ended badly, for who looks at it; the lists of each part are complete.
local RECENT = 20
local recent, recent_keep = {}, 0

local function remember_failure(e, c, p, outcome, code, at)
  recent[#recent + 1] = cjson.encode({ s = e.script, n = spelled(e.name, e.r.case), v = c.v, o = outcome, c = code, x = contributor_out(c), at = at,
    p = p.id, k = p.kind })
  recent_keep = math.max(recent_keep, p.keep)
end

local function flush_recent()
  if #recent == 0 then return end
  local key = tag .. 'recent'
  redis.call('LPUSH', key, unpack(recent, math.max(1, #recent - RECENT + 1)))
  redis.call('LTRIM', key, 0, RECENT - 1)
  if recent_keep > 0 then redis.call('PEXPIRE', key, recent_keep) end
end

-- What is told of an ending, for metrics; the same table for all of a part that end alike at a time.
local function ending_of(p, outcome, action, at)
  local kind = outcome .. action
  local ending = p.endings[kind]
  if not ending or ending.at ~= at then
    ending = { at = at, told = { outcome, action, p.class, math.max(0, at - p.at) } }
    p.endings[kind] = ending
  end
  return ending.told
end

-- A contributor ends. `into` gathers { outcome, action, class, ms since acceptance } for metrics. Call with the chain already without it.
local function ended(e, c, outcome, code, at, into, replaced)
  local p = part_of(c.p)
  count(p, c, 0, -1)
  p.settled = p.settled + 1
  p.outcomes[outcome] = (p.outcomes[outcome] or 0) + 1
  remember(e, c, p, outcome, code)
  if p.kind == 's' then
    p.single = { outcome, code or '' }
  end
  if outcome == 'rejected' or outcome == 'failed' then
    local text = failure_out(e, c, outcome, code, at, replaced)
    redis.call('RPUSH', tag .. outcome .. ':' .. p.number, text)
    remember_failure(e, c, p, outcome, code, at)
    if outcome == 'failed' then
      e.r.redo = true
      redis.call('HSET', redo_key(e), c.v, text)
      if p.keep > 0 then redis.call('PEXPIRE', redo_key(e), p.keep) end
    end
  end
  if into then into[#into + 1] = ending_of(p, outcome, action_of(c), at) end
end

local RATE_MS = 10000

-- An average over about the last ten seconds, decaying exponentially.
local function write_rate(key, settled, at)
  local got = redis.call('HMGET', key, 'rate', 'rateAt', 'rateFrom')
  local last = tonumber(got[2] or at)
  local sum = tonumber(got[1] or 0) * math.exp((last - at) / RATE_MS) + settled
  redis.call('HSET', key, 'rate', string.format('%.3f', sum), 'rateAt', at, 'rateFrom', got[3] or at)
end

local PART_LISTS = { 'rejected:', 'failed:', 'refused:' }

local function expire_part(p, ms)
  redis.call('PEXPIRE', part_key(p.number), ms)
  redis.call('PEXPIRE', tag .. 'id:' .. p.id, ms)
  for _, l in ipairs(PART_LISTS) do redis.call('PEXPIRE', tag .. l .. p.number, ms) end
end

local function persist_part(p)
  redis.call('PERSIST', part_key(p.number))
  redis.call('PERSIST', tag .. 'id:' .. p.id)
  for _, l in ipairs(PART_LISTS) do redis.call('PERSIST', tag .. l .. p.number) end
end

-- `open:<lane>`: the parts with something pending in that lane, by when that began.
local function note_open(number, p, at, pending)
  for lane, n in pairs(p.lanes) do
    if n ~= 0 then
      local left = p.kind == 's' and pending or redis.call('HINCRBY', part_key(number), 'open:' .. lane, n)
      if left <= 0 then
        redis.call('ZREM', tag .. 'open:' .. lane, number)
      elseif n > 0 then
        redis.call('ZADD', tag .. 'open:' .. lane, 'NX', at, number)
      end
    end
  end
end

local function flush_parts(at)
  flush_history()
  for number, p in pairs(parts) do
    if p.total ~= 0 or p.pending ~= 0 or p.settled > 0 then
      local key = part_key(number)
      if p.total ~= 0 then redis.call('HINCRBY', key, 'total', p.total) end
      for outcome, n in pairs(p.outcomes) do redis.call('HINCRBY', key, outcome, n) end
      local pending = redis.call('HINCRBY', key, 'pending', p.pending)
      note_open(number, p, at, pending)
      if p.settled > 0 and p.kind == 'b' then write_rate(key, p.settled, at) end
      if p.single then redis.call('HSET', key, 'outcome', p.single[1], 'error', p.single[2]) end
      if pending == 0 then
        redis.call('HSET', key, 'settledAt', at)
        expire_part(p, p.keep)
        if p.single then redis.call('PUBLISH', tag .. 'settled', p.id) end
      elseif p.pending > 0 and redis.call('HDEL', key, 'settledAt') == 1 then
        persist_part(p)
      end
    end
  end
  for lane, n in pairs(lanes_pending) do
    if n ~= 0 then redis.call('HINCRBY', meta, 'pending:' .. lane, n) end
  end
  flush_recent()
end
