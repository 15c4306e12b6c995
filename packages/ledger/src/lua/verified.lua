-- verified: a read after the window compares with base, under the claim, and never becomes it (R12 to R14).
-- KEYS[1] meta · ARGV script, name, token, state read, time the read began, fresh ms, epoch ('' = not asked), newest beat seen
-- Answers JSON {need: done|wait|again|lost} or {need: write, …}: base is to be written again. Error EPOCH.
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local refusal = refuse_epoch(ARGV[7], tonumber(ARGV[8]))
if refusal then return refusal end
local e, token = load(ARGV[1], ARGV[2]), ARGV[3]
local read, begun, fresh = state_in(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local r, c, t = e.r, claim_of(e.key), now()
if not c or c.token ~= token then return cjson.encode({ need = 'lost' }) end

local shown = shown_at(t)

local function let_go()
  reset_lapses(e)
  release(e.key)
  local answer = afterwards(e, t)
  save(e)
  flush_store()
  return cjson.encode(answer)
end

if #r.chain > 0 and r.base ~= '?' then return let_go() end
if r.window > begun then return let_go() end
if r.base == '?' or shown(read) == shown(r.base) then
  if r.base == '?' then r.base = read end
  r.at, r.window = t, 0
  return let_go()
end
c.armed = true
write_claim(e.key, c)
local answer = work_out(e, 'write', t, fresh)
answer.at, answer.member = c.at, read ~= 'n'
return cjson.encode(answer)
