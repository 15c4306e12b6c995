-- settle: what came of claims. T1 to T6 of protocol.md. Always lets go (R7); whatever ends is counted by the same Lua (R29).
-- KEYS[1] meta · ARGV U ms, settlements as JSON [{s script, t token, r applied|rejected|uncertain|unapplied, sent, to target, o outcome,
--   c code, sp spelling (true: as the key), vf verify, ms retry, spend, k: [name, version carried, …]}] of the keys that they are the same of
-- Answers JSON {keys, ended}: of each key {need, at, ended}, where ended is the number of a list in `ended`; of those that are done that
-- number alone, 0 where nothing ended
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local U = tonumber(ARGV[1])
local t = now()

-- T1: the claim is not ours any more; our request may land all the same (R11). Due only moves earlier (R33).
local function lost(e, s)
  if not s.sent then return { need = 'lost' } end
  open_window(e.r, t + U)
  local due = due_of(e.key)
  if not due or due > e.r.window then set_due(e.key, e.r.window) end
  save(e)
  return { need = 'lost' }
end

local function accept_spelling(r, spelling)
  if spelling then r.case, r.accepted = spelling ~= true and case_of(spelling) or '', true end
end

-- T4 and T5: not done; the chain stays. A later try is due, also of a verification whose window is over.
local function retry_later(e, s)
  local at = t + s.ms
  if #e.r.chain == 0 then
    if e.r.window == 0 then return afterwards(e, t) end
    at = math.max(e.r.window, at)
  end
  set_due(e.key, at)
  return { need = 'wait', at = at }
end

local results = {
  applied = function(e, s, c, into) -- T2
    local r = e.r
    r.base, r.at = state_in(s.to), t
    reset_tries(e)
    if c.at >= r.window then r.window = 0 end
    if s.vf then open_window(r, t + U) end
    accept_spelling(r, s.sp)
    end_applied(e, s.v, s.o, t, into)
    return afterwards(e, t)
  end,
  rejected = function(e, s, c, into) -- T3
    reset_tries(e)
    -- A verification whose write is refused for good would be repeated for ever: nothing is under way and nothing is known.
    if #e.r.chain == 0 and c.at >= e.r.window then e.r.base, e.r.window = '?', 0 end
    accept_spelling(e.r, s.sp)
    end_refused(e, s.v, 'rejected', s.c, t, into)
    return afterwards(e, t)
  end,
  uncertain = function(e, s) -- T4
    open_window(e.r, t + U)
    if s.spend then spend_try(e, s.c) end
    return retry_later(e, s)
  end,
  unapplied = function(e, s) -- T5
    return retry_later(e, s)
  end,
}

-- The number of a list among those that are told; most keys have the same single ending.
local told, told_alone = {}, {}

local function tell(into)
  if #into == 0 then return 0 end
  local only = #into == 1 and into[1]
  if not only or not told_alone[only] then
    told[#told + 1] = into
    if not only then return #told end
    told_alone[only] = #told
  end
  return told_alone[only]
end

-- As in claim.lua: records of the same text, under one claim and one settlement, become the same where a write ends their only contributor.
-- Text → { version carried, claim, the contributor, text afterwards, answer }; begun anew for each settlement.
local alike = {}

local function settle_alike(e, s, c)
  local same = alike[e.text]
  if not same or same.carried ~= s.v or same.claim ~= c then return nil end
  ended(e, same.contributor, s.o, nil, t)
  drop_due(e.key)
  save(e, same.text)
  return same.answer
end

local function is_plain(r, s)
  return s.r == 'applied' and #r.chain == 1 and r.tries == 0 and r.lapses == 0 and r.window == 0
end

local function settle(script, s)
  local e = read(script, s.n)
  local c = claim_of(e.key)
  if not c or c.token ~= s.t then return lost(load(script, s.n), s) end
  release(e.key)
  local answer = settle_alike(e, s, c)
  if answer then return answer end
  local before, r = e.text, load(script, s.n).r
  local plain, contributor = is_plain(r, s), r.chain[1]
  reset_lapses(e)
  local into = {}
  answer = results[s.r](e, s, c, into)
  save(e)
  if answer.need == 'done' then
    local number = tell(into)
    if plain then alike[before] = { carried = s.v, claim = c, contributor = contributor, text = e.text, answer = number } end
    return number
  end
  answer.ended = tell(into)
  return answer
end

local settlements, keys, answers = cjson.decode(ARGV[2]), {}, {}
for _, s in ipairs(settlements) do
  local script = tostring(s.s)
  for i = 1, #s.k, 2 do keys[#keys + 1] = access_key(script, s.k[i]) end
end
gather_claims(keys)
for _, s in ipairs(settlements) do
  local script = tostring(s.s)
  alike = {}
  for i = 1, #s.k, 2 do
    s.n, s.v = s.k[i], s.k[i + 1]
    answers[#answers + 1] = settle(script, s)
  end
end
flush_claims()
flush_parts(t)
flush_store()
return cjson.encode({ keys = list_out(answers), ended = list_out(told) })
