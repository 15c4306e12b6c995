-- Takes the contributors of cancelled parts out of a chain, unless a write was armed with them (R17); the version moves (R18).
local function drop_cancelled(e, is_cancelled, t, into)
  local r = e.r
  local gone = take_out(r, function(c) return c.v > r.tv and is_cancelled(c.p) end)
  if #gone == 0 then return false end
  r.v = r.v + 1
  for i = 1, #gone do ended(e, gone[i], 'cancelled', nil, t, into) end
  r.last = OUTCOME_CODE.cancelled
  return true
end
