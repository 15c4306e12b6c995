-- summary: pending operations and waiting chunks by lane, when the next key is due, and since when the lanes wait.
-- KEYS[1] meta · Answers {grant, revoke, grant-bulk, revoke-bulk pending, the same waiting, cancels under way, next due or '', now,
--   open chunks (waiting or taken), since when something has been pending without a break in the part that waits longest, or '', in the
--   same order}
--!include clock
local tag = KEYS[1]:sub(1, -7)
local LANES = { 'grant', 'revoke', 'grant-bulk', 'revoke-bulk' }
local got = redis.call('HMGET', KEYS[1], 'pending:grant', 'pending:revoke', 'pending:grant-bulk', 'pending:revoke-bulk',
  'waiting:grant', 'waiting:revoke', 'waiting:grant-bulk', 'waiting:revoke-bulk')
for i = 1, 8 do got[i] = tonumber(got[i] or 0) end
got[9] = redis.call('HLEN', tag .. 'cancelling')
got[10] = redis.call('ZRANGE', tag .. 'due', 0, 0, 'WITHSCORES')[2] or ''
got[11] = now()
got[12] = redis.call('HLEN', tag .. 'chunks')
for i, lane in ipairs(LANES) do got[12 + i] = redis.call('ZRANGE', tag .. 'open:' .. lane, 0, 0, 'WITHSCORES')[2] or '' end
return got
