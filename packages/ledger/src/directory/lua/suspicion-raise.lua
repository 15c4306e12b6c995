-- Says whether the caller is the one who asks if a session is alive, and tells the others to wait.
-- KEYS  suspicion, account, channel (the revision's name)
-- ARGV  account id, the time the cookies were posted, ms
-- Result: 'ask'; 'wait' when somebody else does; 'moot' when the account is not active or has other cookies
local seen = redis.call('HMGET', KEYS[2], 'state', 'posted-at')
if seen[1] ~= 'active' or seen[2] ~= ARGV[2] then
  return 'moot'
end
if not redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3]) then
  return 'wait'
end
redis.call('PUBLISH', KEYS[3], 'suspect ' .. ARGV[1])
return 'ask'
