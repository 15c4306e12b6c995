-- Starts retention unless it runs.
-- KEYS  batch and what belongs to it
-- ARGV  retention in ms
-- Result: 1 when it has started
if redis.call('PTTL', KEYS[1]) ~= -1 then
  return 0
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
