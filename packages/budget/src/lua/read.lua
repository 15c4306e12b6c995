-- What an account's budget looks like now. KEYS: 1 its budget hash, 2 its slots. ARGV: the budgets' names.
-- Answers: now, paused until, breaker ('closed' or 'open'), requests in flight, refusals so far, then for each budget its rate ('' if
-- never learned) and until when it is paused.
--!include clock
--!include numbers
local t, inFlight = now(), 0
for _, row in ipairs(redis.call('HVALS', KEYS[2])) do
  local finish, inUse = row:match('(%S+) (%S+)$')
  if finish and tonumber(finish) > t then inFlight = inFlight + inUse end
end
local paused, open, refused = unpack(redis.call('HMGET', KEYS[1], 'paused', 'open', 'refused'))
local answer = { text(t), paused or '0', open and 'open' or 'closed', inFlight, tonumber(refused or 0) }
for _, name in ipairs(ARGV) do
  local rate, pause = unpack(redis.call('HMGET', KEYS[1], name .. ':rate', name .. ':pause'))
  answer[#answer + 1] = rate or ''
  answer[#answer + 1] = pause or '0'
end
return answer
