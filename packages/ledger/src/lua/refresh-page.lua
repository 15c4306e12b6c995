-- refresh-page: members as upstream lists them become known, or are only compared (R24: keys with chain, claim, window, or known since the list
-- was begun are skipped). KEYS[1] meta · ARGV script, key of the set of names seen, time the first page was asked for, adopt 0|1,
--   members: one line each "spelling state" · Answers JSON {drift: [[name, ledger, upstream]], known, skipped}
--!include clock
--!include store
--!include claims
local script, seen, since, adopt = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local SEEN_MS = 3600000
local t = now()
local drift, known, skipped = {}, 0, 0
local shown = shown_at(t)
-- No name: tells a list without members from a set that is gone.
redis.call('SADD', tag .. seen, '')

for spelling, state in ARGV[5]:gmatch('(%S+) (%S+)') do
  local name = spelling:lower()
  redis.call('SADD', tag .. seen, name)
  local e = load(script, name)
  local r = e.r
  if #r.chain > 0 or r.window > 0 or r.at >= since or redis.call('HEXISTS', claims_key, e.key) == 1 then
    skipped = skipped + 1
  else
    local read = state_in(state)
    if shown(r.base) ~= shown(read) then drift[#drift + 1] = { spelling, state_out(r.base), state } end
    known = known + 1
    if adopt then
      r.base, r.at, r.case, r.accepted = read, t, case_of(spelling), true
      save(e)
    end
  end
end
redis.call('PEXPIRE', tag .. seen, SEEN_MS)
flush_store()
return cjson.encode({ drift = list_out(drift), known = known, skipped = skipped })
