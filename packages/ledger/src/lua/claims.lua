--!include epoch
-- Claims: hash `claims` key → "token until at armed". Due: zset `due` key → ms.
local claims_key, due_key = tag .. 'claims', tag .. 'due'

-- Scripts of many keys read their claims at once and gather what they write: each command of its own costs 1 µs and a line of the AOF.
local seen, parsed, gathered = {}, {}, nil

local function gather_claims(keys)
  gathered = { claims = {}, due = {} }
  if #keys == 0 then return end
  local found = redis.call('HMGET', claims_key, unpack(keys))
  for i = 1, #keys do seen[keys[i]] = found[i] end
end

-- Writes a gathered table, in which false = not there any more.
local function write_gathered(key, all, put, drop, score_first)
  local there, gone = {}, {}
  for field, value in pairs(all) do
    if value then
      there[#there + 1] = score_first and value or field
      there[#there + 1] = score_first and field or value
    else
      gone[#gone + 1] = field
    end
  end
  for i = 1, #there, 1000 do redis.call(put, key, unpack(there, i, math.min(i + 999, #there))) end
  for i = 1, #gone, 1000 do redis.call(drop, key, unpack(gone, i, math.min(i + 999, #gone))) end
end

local function flush_claims()
  write_gathered(claims_key, gathered.claims, 'HSET', 'HDEL', false)
  write_gathered(due_key, gathered.due, 'ZADD', 'ZREM', true)
end

local function claim_of(key)
  local s = seen[key]
  if s == nil then s = redis.call('HGET', claims_key, key) end
  if not s then return nil end
  local c = parsed[s]
  if not c then
    local token, until_, at, armed = s:match('^(%S+) (%d+) (%d+) (%d)$')
    c = { token = token, until_ = tonumber(until_), at = tonumber(at), armed = armed == '1' }
    parsed[s] = c
  end
  return c
end

-- A claim as it is kept.
local function claim_text(token, until_, at, armed)
  return token .. ' ' .. whole(until_) .. ' ' .. whole(at) .. (armed and ' 1' or ' 0')
end

local function put_claim(key, text)
  if not gathered then return redis.call('HSET', claims_key, key, text) end
  seen[key], gathered.claims[key] = text, text
end

-- Answers the claim's text.
local function write_claim(key, c)
  local text = claim_text(c.token, c.until_, c.at, c.armed)
  put_claim(key, text)
  return text
end

local function release(key)
  if not gathered then return redis.call('HDEL', claims_key, key) end
  seen[key], gathered.claims[key] = false, false
end

local function set_due(key, at)
  local score = whole(at)
  if not gathered then return redis.call('ZADD', due_key, score, key) end
  gathered.due[key] = score
end

local function drop_due(key)
  if not gathered then return redis.call('ZREM', due_key, key) end
  gathered.due[key] = false
end

local function due_of(key)
  local score = gathered and gathered.due[key]
  if score == nil or not gathered then score = redis.call('ZSCORE', due_key, key) end
  return score and tonumber(score)
end

-- Hash `errors` key → code of the last try that spent something: what `failed` is told with.
local errors_key = tag .. 'errors'

local function spend_try(e, code)
  e.r.tries = math.min(255, e.r.tries + 1)
  redis.call('HSET', errors_key, e.key, code)
end

-- Answers the code of the last try, if there was one.
local function reset_tries(e)
  if e.r.tries == 0 then return nil end
  e.r.tries = 0
  local code = redis.call('HGET', errors_key, e.key)
  redis.call('HDEL', errors_key, e.key)
  return code or nil
end

local function open_window(r, until_)
  r.window = math.max(r.window, until_)
end

-- R32: due is written by the Lua that answers `again`.
local AGAIN_MS = 1000

-- T6: after a claim was let go.
local function afterwards(e, t, extra)
  local r = e.r
  local out = extra or {}
  if #r.chain > 0 then
    set_due(e.key, t + AGAIN_MS)
    out.need = 'again'
  elseif r.window > 0 then
    set_due(e.key, r.window)
    out.need, out.at = 'wait', r.window
  else
    drop_due(e.key)
    out.need = 'done'
  end
  return out
end

local function fixed_count(r)
  local n = 0
  for i = 1, #r.chain do
    if r.chain[i].v <= r.tv then n = n + 1 end
  end
  return n
end

-- From so many lapses in a row a key is worked on alone: it may be what kills its worker.
local ALONE_LAPSES = 2
-- String `suspect`: "until key", the one such key in hand: what dies beside a poisoned key would be taken for poison too.
local suspect_key = tag .. 'suspect'

local function suspect()
  local until_, key = (redis.call('GET', suspect_key) or ''):match('^(%d+) (.+)$')
  return key, tonumber(until_)
end

-- Whether it may be worked on now.
local function begin_suspect(e, t, lease)
  local key, until_ = suspect()
  if key and key ~= e.key and until_ > t then return false end
  redis.call('SET', suspect_key, string.format('%d %s', t + lease, e.key))
  return true
end

local function reset_lapses(e)
  if e.r.lapses >= ALONE_LAPSES and suspect() == e.key then redis.call('DEL', suspect_key) end
  e.r.lapses = 0
end

-- Takes the contributors for which `want` is true out of the chain and returns them, oldest first.
local function take_out(r, want)
  local out, rest = {}, {}
  for i = 1, #r.chain do
    local c = r.chain[i]
    if want(c) then out[#out + 1] = c else rest[#rest + 1] = c end
  end
  r.chain = rest
  return out
end

-- Ends all contributors up to a version: those before the last absolute one were superseded, the rest got `outcome` (T2).
local function end_applied(e, carried, outcome, t, into)
  local done = take_out(e.r, function(c) return c.v <= carried end)
  local last = 0
  for i = 1, #done do
    if is_absolute(done[i]) then last = i end
  end
  for i = 1, #done do ended(e, done[i], i < last and 'superseded' or outcome, nil, t, into) end
  if #done > 0 then e.r.last = OUTCOME_CODE[outcome] end
end

-- Ends all contributors up to a version without effect (T3, final, poison).
local function end_refused(e, carried, outcome, code, t, into)
  local done = take_out(e.r, function(c) return c.v <= carried end)
  -- What was accepted later replaces it: an absolute operation always, an extension only an absolute one that did not end with it.
  local absolute = false
  for i = 1, #e.r.chain do absolute = absolute or is_absolute(e.r.chain[i]) end
  for i = #done, 1, -1 do
    done[i].replaced = absolute or is_absolute(done[i]) and #e.r.chain > 0
    absolute = absolute or is_absolute(done[i])
  end
  for i = 1, #done do ended(e, done[i], outcome, code, t, into, done[i].replaced) end
  if #done > 0 then e.r.last = OUTCOME_CODE[outcome] end
end

-- How a state shows at a time: a date that has passed and no entry agree.
local function shown_at(t)
  return function(s) return type(s) == 'number' and s <= t and 'n' or s end
end

-- Known lately, and not from before a restore.
local function is_fresh(r, t, fresh)
  return t - r.at < fresh and r.at >= known_since()
end

-- Does base answer the question of membership for sure?
local function is_sure(r, t, fresh)
  return r.base ~= '?' and r.window == 0 and is_fresh(r, t, fresh)
end

-- Is a look-up wanted before anything is sent? Not where upstream has accepted the spelling, or the user is surely a member.
local function wants_validation(r, t, fresh)
  if #r.chain == 0 or r.accepted then return nil end
  if is_sure(r, t, fresh) and (r.base ~= 'n' or r.chain[#r.chain].k == 'r') then return nil end
  for i = 1, #r.chain do
    if part_of(r.chain[i].p).validate then return true end
  end
end

-- The answer for a key with work under our claim. What is most often so is left out: tv as v, an unknown base, a spelling without
-- capitals, and whatever is false or 0.
local function work_out(e, need, t, fresh)
  local r = e.r
  return { need = need, v = r.v, tv = r.tv ~= r.v and r.tv or nil, base = r.base ~= '?' and state_out(r.base) or nil,
    sure = is_sure(r, t, fresh) or nil, spelling = r.case ~= '' and spelled(e.name, r.case) or nil, accepted = r.accepted or nil,
    chain = chain_out(r), tries = r.tries > 0 and r.tries or nil, validate = wants_validation(r, t, fresh) }
end

local function arm(e, c)
  e.r.tv = e.r.v
  c.armed = true
end
