-- final: the deciding read after the tries are spent (R20).
-- KEYS[1] meta · ARGV script, name, token, target of the fixed part, state read, time the read began
-- Answers JSON {need, ended}
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local e, token = load(ARGV[1], ARGV[2]), ARGV[3]
local target, read, begun = state_in(ARGV[4]), state_in(ARGV[5]), tonumber(ARGV[6])
local r, c, t = e.r, claim_of(e.key), now()
if not c or c.token ~= token then return cjson.encode({ need = 'lost' }) end

local shown = shown_at(t)
local into = {}
if r.window <= begun then r.window = 0 end
r.at = t
reset_lapses(e)
local code = reset_tries(e) or 'TRIES_SPENT'
if shown(target) == shown(read) then
  r.base = target
  end_applied(e, r.tv, shown(target) == 'n' and 'revoked' or 'changed', t, into)
else
  r.base = read
  end_refused(e, r.tv, 'failed', code, t, into)
end
release(e.key)
local answer = afterwards(e, t, { ended = list_out(into) })
save(e)
flush_parts(t)
flush_store()
return cjson.encode(answer)
