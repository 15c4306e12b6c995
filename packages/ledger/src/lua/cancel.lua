-- cancel: marks a part; its contributors that are not fixed are taken out by cancel-some (and by claim).
-- KEYS[1] meta · ARGV part id · Answers 1, or 0 when the part is unknown.
local tag = KEYS[1]:sub(1, -7)
local number = redis.call('GET', tag .. 'id:' .. ARGV[1])
if not number then return 0 end
if redis.call('HGET', tag .. 'part:' .. number, 'stopped') ~= '1' then
  redis.call('HSET', tag .. 'part:' .. number, 'stopped', 1)
  redis.call('HSET', tag .. 'cancelling', number, '0 0')
end
return 1
