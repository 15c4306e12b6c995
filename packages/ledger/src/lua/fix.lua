-- fix: a base was read under our claim; becomes the base only if claim and version have not moved (R4). C5 of protocol.md.
-- KEYS[1] meta · ARGV script, name, token, version, state read, time the read began, fresh ms,
--   epoch ('' = not asked), newest beat seen · Answers JSON {need: write|again|done|wait|lost, …}; error EPOCH
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local refusal = refuse_epoch(ARGV[8], tonumber(ARGV[9]))
if refusal then return refusal end
local e, token = load(ARGV[1], ARGV[2]), ARGV[3]
local r, c, t = e.r, claim_of(e.key), now()
if not c or c.token ~= token then return cjson.encode({ need = 'lost' }) end
if r.v ~= tonumber(ARGV[4]) or #r.chain == 0 then
  release(e.key)
  return cjson.encode(afterwards(e, t))
end
r.base, r.at = state_in(ARGV[5]), t
if r.window <= tonumber(ARGV[6]) then r.window = 0 end
arm(e, c)
write_claim(e.key, c)
save(e)
flush_store()
local answer = work_out(e, 'write', t, tonumber(ARGV[7]))
answer.at = c.at
return cjson.encode(answer)
