-- list-failures: operations of a part that ended rejected or failed, rejected first.
-- KEYS[1] meta · ARGV part id, offset, limit · Answers {total, JSON texts}
local tag = KEYS[1]:sub(1, -7)
local number = redis.call('GET', tag .. 'id:' .. ARGV[1])
if not number then return { 0, {} } end
local rejected, failed = tag .. 'rejected:' .. number, tag .. 'failed:' .. number
local first, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local n = redis.call('LLEN', rejected)
local out = redis.call('LRANGE', rejected, first, first + limit - 1)
if #out < limit then
  local from = math.max(0, first - n)
  for _, text in ipairs(redis.call('LRANGE', failed, from, from + limit - #out - 1)) do out[#out + 1] = text end
end
return { n + redis.call('LLEN', failed), out }
