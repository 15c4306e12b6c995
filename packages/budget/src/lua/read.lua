-- read: what an account's budget does at this instant. KEYS[1] `{ns:account}:budget`
-- Answers {requests in flight, ms that everyone pauses, breaker open 0|1, 429s so far}
--!include clock
--!include slots
local t = now()
local got = redis.call('HMGET', KEYS[1], 'pausedUntil', 'openUntil', 'refused')
local in_flight = slots_in_use(t, '')
return { in_flight, math.max(0, tonumber(got[1] or 0) - t), tonumber(got[2] or 0) > 0 and 1 or 0, tonumber(got[3] or 0) }
