-- open-parts: ids of the parts of batches with something pending, those first that have waited longest.
-- KEYS[1] meta · ARGV most parts to look at in each lane · Answers ids
local tag = KEYS[1]:sub(1, -7)
local found, seen, ids = {}, {}, {}
for _, lane in ipairs({ 'grant', 'revoke', 'grant-bulk', 'revoke-bulk' }) do
  local open = redis.call('ZRANGE', tag .. 'open:' .. lane, 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
  for i = 1, #open, 2 do found[#found + 1] = { open[i], tonumber(open[i + 1]) } end
end
table.sort(found, function(a, b) return a[2] < b[2] end)
for _, part in ipairs(found) do
  if not seen[part[1]] then
    seen[part[1]] = true
    local got = redis.call('HMGET', tag .. 'part:' .. part[1], 'kind', 'id')
    if got[1] == 'b' then ids[#ids + 1] = got[2] end
  end
end
return ids
