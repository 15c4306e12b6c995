-- Included by every script that needs the time; tests put another file in its place.
-- now(): ms since 1970, by the clock of Redis.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
