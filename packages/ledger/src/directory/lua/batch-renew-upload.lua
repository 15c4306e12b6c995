--!include batch
-- KEYS  batch and what belongs to it
-- ARGV  ms for which its upload is held
-- Result: 1, or 0 when it is not receiving
if redis.call('HGET', KEYS[1], 'upload') ~= 'receiving' then
  return 0
end
hold(KEYS[1], ARGV[1])
retain()
return 1
