-- refresh-absent: after a complete list, what is on none of its pages is absent. One bounded step over the buckets.
-- KEYS[1] meta · ARGV script, key of the set of names seen, time the first page was asked for, adopt 0|1, bucket, keys to look at,
--   epoch ('' = none)
-- Answers JSON {drift, known, bucket, lost}; without bucket: the end, and the set of names is dropped. lost: the set was gone before, so
-- that nobody may be called absent.
--!include clock
--!include store
--!include claims
local script, seen, since, adopt = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local t = now()
local drift, known = {}, 0
if redis.call('EXISTS', tag .. seen) == 0 then return cjson.encode({ known = 0, lost = true }) end

local next_bucket = each_record(script, tonumber(ARGV[5]), tonumber(ARGV[6]), function(e)
  local r = e.r
  if #r.chain > 0 or r.window > 0 or r.at >= since then return end
  if redis.call('SISMEMBER', tag .. seen, e.name) == 1 or redis.call('HEXISTS', claims_key, e.key) == 1 then return end
  known = known + 1
  if r.base == 'l' or type(r.base) == 'number' and r.base > t then drift[#drift + 1] = { spelled(e.name, r.case), state_out(r.base), 'n' } end
  if adopt then
    r.base, r.at = 'n', t
    save(e)
  end
end)
if not next_bucket then
  redis.call('DEL', tag .. seen)
  -- What lets an account that was restored be resumed.
  if adopt and ARGV[7] ~= '' then
    redis.call('HSET', tag .. 'epoch', 'refreshed:' .. script, ARGV[7] .. ' ' .. ARGV[3])
  end
end
flush_store()
return cjson.encode({ drift = list_out(drift), known = known, bucket = next_bucket })
