-- list-access: one page over the buckets of a script, by name inside a bucket. A bucket that splits between two pages may show a name twice,
-- never hides one: its keys only move to higher buckets.
-- KEYS[1] meta · ARGV script, bucket, name to go on after, limit, records to look at, status pending|settled|failed or ''
-- Answers JSON {records, bucket, name}; without bucket: the end.
--!include store
--!include view
local script, bucket, after = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local limit, budget, wanted = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local size = size_of(script)
local out, seen = {}, 0

local function status_of(r)
  if #r.chain > 0 then return 'pending' end
  return OUTCOMES[r.last] == 'failed' and 'failed' or 'settled'
end

while bucket < size.b do
  if seen >= budget then return cjson.encode({ records = list_out(out), bucket = bucket, name = after }) end
  local names = redis.call('HKEYS', bucket_key(script, bucket))
  table.sort(names)
  for _, name in ipairs(names) do
    if name > after then
      if #out == limit then return cjson.encode({ records = list_out(out), bucket = bucket, name = after }) end
      local e = load(script, name)
      if wanted == '' or status_of(e.r) == wanted then out[#out + 1] = view(e) end
      after = name
    end
  end
  seen = seen + #names + 1
  bucket = bucket + 1
  after = ''
end
return cjson.encode({ records = list_out(out) })
