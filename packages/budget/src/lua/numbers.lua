-- Times are ms since 1970 with three decimals: Lua's own conversion would cut them to 14 digits.
local function text(x)
  return string.format('%.3f', x)
end
