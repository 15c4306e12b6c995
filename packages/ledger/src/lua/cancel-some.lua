-- cancel-some: one bounded step of the cancels under way, over the buckets of every script.
-- KEYS[1] meta · ARGV keys to look at · Answers JSON {left, ended}
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
--!include cancelled
local limit = tonumber(ARGV[1])
local t = now()
local cancelling = redis.call('HGETALL', tag .. 'cancelling')
if #cancelling == 0 then return cjson.encode({ left = 0 }) end

local number = tonumber(cancelling[1])
local script, bucket = cancelling[2]:match('^(%d+) (%d+)$')
local known = {}
for _, field in ipairs(redis.call('HKEYS', meta)) do
  local s = field:match('^b:(%d+)$')
  if s and tonumber(s) >= tonumber(script) then known[#known + 1] = tonumber(s) end
end
table.sort(known)

local into = {}
local function is_cancelled(p) return p == number end
local next_bucket
if known[1] then
  local from = known[1] == tonumber(script) and tonumber(bucket) or 0
  next_bucket = each_record(tostring(known[1]), from, limit, function(e)
    if #e.r.chain > 0 and drop_cancelled(e, is_cancelled, t, into) then save(e) end
  end)
end
flush_parts(t)
flush_store()

if next_bucket then
  redis.call('HSET', tag .. 'cancelling', number, known[1] .. ' ' .. next_bucket)
elseif known[2] then
  redis.call('HSET', tag .. 'cancelling', number, known[2] .. ' 0')
else
  redis.call('HDEL', tag .. 'cancelling', number)
end
return cjson.encode({ left = redis.call('HLEN', tag .. 'cancelling'), ended = list_out(into) })
