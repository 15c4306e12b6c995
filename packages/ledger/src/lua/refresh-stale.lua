-- refresh-stale: runs in nobody's hands for so long that their task must be lost; forgets those that are gone.
-- KEYS[1] meta · ARGV ms · Answers their ids
--!include clock
--!include store
--!include refresh-runs
local stale, all = {}, redis.call('HGETALL', refreshing_key)
for i = 1, #all, 2 do
  local held = redis.call('HGET', run_key(all[i + 1]), 'heldUntil')
  if not held then
    redis.call('HDEL', refreshing_key, all[i])
  elseif tonumber(held) + tonumber(ARGV[1]) < now() then
    stale[#stale + 1] = all[i + 1]
  end
end
return stale
