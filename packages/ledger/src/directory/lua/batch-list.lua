--!include batch
-- One page of batches, newest first. Forgets those whose record has expired.
-- KEYS  batches
-- ARGV  upper bound of their numbers, as ZREVRANGEBYSCORE takes it; limit; prefix of batch keys
-- Result: { { id, record, … }, number of the last one where more may follow, else nil }
local bound, limit = ARGV[1], tonumber(ARGV[2])
local items, found, scanned, last = {}, 0, 0, nil

-- A call stays short however many have expired: it then ends with a short page.
while scanned < limit + 1000 do
  local entries = redis.call('ZREVRANGEBYSCORE', KEYS[1], bound, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1 - found)
  if #entries == 0 then
    return { items, false }
  end
  for i = 1, #entries, 2 do
    local record = batch(ARGV[3] .. entries[i])
    if not record then
      redis.call('ZREM', KEYS[1], entries[i])
    elseif found == limit then
      return { items, last }
    else
      items[#items + 1] = entries[i]
      items[#items + 1] = record
      found = found + 1
    end
    last = entries[i + 1]
    scanned = scanned + 1
  end
  bound = '(' .. last
end
return { items, last }
