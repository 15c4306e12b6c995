-- settle: what came of claims. T1 to T6 of protocol.md. Always lets go (R7); whatever ends is counted by the same Lua (R29).
-- KEYS[1] meta · ARGV U ms, settlements as JSON [{s script, n name, t token, v carried, r applied|rejected|uncertain|unapplied, sent,
--   to target, o outcome, c code, sp spelling, vf verify, ms retry, spend}] · Answers JSON {keys: [{need, at, ended}]}
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
  if spelling then r.case, r.accepted = case_of(spelling), true end
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

local function settle(s)
  local e = load(tostring(s.s), s.n)
  local c = claim_of(e.key)
  if not c or c.token ~= s.t then return lost(e, s) end
  release(e.key)
  reset_lapses(e)
  local into = {}
  local answer = results[s.r](e, s, c, into)
  answer.ended = list_out(into)
  save(e)
  return answer
end

local settlements, keys, answers = cjson.decode(ARGV[2]), {}, {}
for i, s in ipairs(settlements) do keys[i] = access_key(tostring(s.s), s.n) end
gather_claims(keys)
for i, s in ipairs(settlements) do answers[i] = settle(s) end
flush_claims()
flush_parts(t)
flush_store()
return cjson.encode({ keys = list_out(answers) })
