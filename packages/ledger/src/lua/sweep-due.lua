-- sweep-due: keys that are due move into new open chunks. KEYS[1] meta · ARGV at most so many keys
-- Answers JSON {moved, bells, next}: next = when the next key is due.
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local t = now()
local VERIFY_TURN = 'verify'
local ready = redis.call('ZRANGEBYSCORE', due_key, '-inf', t, 'LIMIT', 0, tonumber(ARGV[1]))

-- The single lanes if anything in the chain is single; a verification waits in bulk.
local function place(r)
  local n = #r.chain
  if n == 0 then return 'grant', 'grant-bulk', VERIFY_TURN end
  local chosen = part_of(r.chain[n].p)
  for i = 1, n do
    local p = part_of(r.chain[i].p)
    if p.class == 's' then chosen = p end
  end
  local action = action_of(r.chain[n])
  return action, action .. (chosen.class == 'b' and '-bulk' or ''), chosen.turn
end

for _, key in ipairs(ready) do
  drop_due(key)
  local script, name = key:match('^(%d+):(.+)$')
  local e = load(script, name)
  local action, lane, turn = place(e.r)
  into_chunk(script, action, lane, turn, name, e.r.lapses >= ALONE_LAPSES)
end
flush_chunks()
local next_due = redis.call('ZRANGE', due_key, 0, 0, 'WITHSCORES')
return cjson.encode({ moved = #ready, bells = bells_out(), next = tonumber(next_due[2]) })
