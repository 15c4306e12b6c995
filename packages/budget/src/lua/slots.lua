-- Requests in flight: hash `…:slots` worker → "count until". A worker that died frees its slots when they run out.
local slots_key = KEYS[1] .. ':slots'

local function slots_in_use(t, worker)
  local total, mine = 0, 0
  local all = redis.call('HGETALL', slots_key)
  for i = 1, #all, 2 do
    local n, until_ = all[i + 1]:match('^(%d+) (%d+)$')
    if tonumber(until_) <= t then
      redis.call('HDEL', slots_key, all[i])
    else
      total = total + tonumber(n)
      if all[i] == worker then mine = tonumber(n) end
    end
  end
  return total, mine
end

local function hold_slots(worker, n, until_)
  if n > 0 then
    redis.call('HSET', slots_key, worker, string.format('%d %.0f', n, until_))
  else
    redis.call('HDEL', slots_key, worker)
  end
end
