-- summary: pending operations and waiting chunks by lane, and when the next key is due.
-- KEYS[1] meta · Answers {grant, revoke, grant-bulk, revoke-bulk pending, the same waiting, cancels under way, next due or ''}
local tag = KEYS[1]:sub(1, -7)
local got = redis.call('HMGET', KEYS[1], 'pending:grant', 'pending:revoke', 'pending:grant-bulk', 'pending:revoke-bulk',
  'waiting:grant', 'waiting:revoke', 'waiting:grant-bulk', 'waiting:revoke-bulk')
for i = 1, 8 do got[i] = tonumber(got[i] or 0) end
got[9] = redis.call('HLEN', tag .. 'cancelling')
got[10] = redis.call('ZRANGE', tag .. 'due', 0, 0, 'WITHSCORES')[2] or ''
return got
