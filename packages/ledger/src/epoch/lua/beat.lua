-- beat: moves the beat of a tag on. KEYS[1] epoch hash · ARGV epoch, time of the beat, ms
-- A pause of the beats is kept as a gap: who remembers a beat inside it has seen what this tag has lost.
-- Answers {1, the beat before} or {0} when the tag does not carry this epoch.
local PAUSE_MS = 10000
local seen = redis.call('HMGET', KEYS[1], 'id', 'beat')
if seen[1] ~= ARGV[1] then return { 0 } end
local last, at = tonumber(seen[2] or 0), tonumber(ARGV[2])
-- A leader that was frozen comes late.
if at > last then
  if at - last > PAUSE_MS then redis.call('HSET', KEYS[1], 'gap-from', last, 'gap-to', ARGV[2]) end
  redis.call('HSET', KEYS[1], 'beat', ARGV[2])
end
return { 1, seen[2] or '0' }
