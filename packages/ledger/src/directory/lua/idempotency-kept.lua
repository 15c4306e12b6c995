--!include clock
-- How many requests are kept with their answer, to the hour.
-- KEYS  requests begun by hour
-- ARGV  retention in ms
-- Result: their number
local oldest = math.floor((now() - tonumber(ARGV[1])) / 3600000)
local hours = redis.call('HGETALL', KEYS[1])
local kept = 0
for i = 1, #hours, 2 do
  if tonumber(hours[i]) >= oldest then kept = kept + tonumber(hours[i + 1]) end
end
return kept
