-- count-requests: counts requests in the window that the first of them opened.
-- KEYS[1] counter · ARGV so many requests, window ms · Answers {requests in the window, ms until it ends}
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { count, tonumber(ARGV[2]) }
end
return { count, redis.call('PTTL', KEYS[1]) }
