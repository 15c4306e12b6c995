-- A record as the api reads it.
local function view(e)
  local r = e.r
  return { script = tonumber(e.script), username = spelled(e.name, r.case), accepted = r.accepted, v = r.v, tv = r.tv, base = state_out(r.base), at = r.at,
    window = r.window, tries = r.tries, lapses = r.lapses, last = OUTCOMES[r.last], chain = chain_out(r) }
end
