-- In-flight slots: a hash worker -> "singles bulk wantSingles wantBulk until inUse", a lease that expires. Every worker gets a
-- fair share of the cap: nobody more than it wants, and what one does not want goes to the others.
--!include numbers

-- Max-min fair share of `cap` for every want; ties broken by id, so that all workers compute the same.
local function fair_shares(wants, cap)
  local ids = {}
  for id in pairs(wants) do ids[#ids + 1] = id end
  table.sort(ids, function(a, b)
    if wants[a] ~= wants[b] then return wants[a] < wants[b] end
    return a < b
  end)
  local shares, rest = {}, cap
  for i, id in ipairs(ids) do
    shares[id] = math.min(wants[id], math.floor(rest / (#ids - i + 1)))
    rest = rest - shares[id]
  end
  return shares, cap - rest
end

local function total(wants)
  local sum = 0
  for _, n in pairs(wants) do sum = sum + n end
  return sum
end

local function other_slots(key, t, worker)
  local held = { singles = 0, bulk = 0, wantSingles = {}, wantBulk = {} }
  local rows = redis.call('HGETALL', key)
  for i = 1, #rows, 2 do
    local id = rows[i]
    local s, b, ws, wb, finish = rows[i + 1]:match('^(%S+) (%S+) (%S+) (%S+) (%S+) %S+$')
    if not finish or tonumber(finish) <= t then
      redis.call('HDEL', key, id)
    elseif id ~= worker then
      held.singles = held.singles + s
      held.bulk = held.bulk + b
      held.wantSingles[id] = tonumber(ws)
      held.wantBulk[id] = tonumber(wb)
    end
  end
  return held
end

-- mine: { singles, bulk in use; wantSingles, wantBulk, both with those in use }. Returns how many of each the worker may use.
local function share_slots(key, t, worker, cap, leaseMs, mine)
  local others = other_slots(key, t, worker)
  others.wantSingles[worker] = math.min(cap, mine.wantSingles)
  others.wantBulk[worker] = math.min(cap, mine.wantBulk)
  local bulkCap = math.max(1, math.floor(cap * 7 / 8))
  local forBulk = math.min(total(others.wantBulk), math.max(1, math.floor(cap / 10)))
  local singleShares, singlesTaken = fair_shares(others.wantSingles, math.max(1, cap - forBulk))
  local bulkShares = fair_shares(others.wantBulk, math.min(bulkCap, cap - singlesTaken))
  local free = cap - others.singles - others.bulk
  local singles = math.max(0, math.min(singleShares[worker], free - mine.bulk))
  local holdSingles = math.max(singles, mine.singles)
  local bulk = math.max(0, math.min(bulkShares[worker], bulkCap - others.bulk, free - holdSingles))
  local holdBulk = math.max(bulk, mine.bulk)
  if holdSingles + holdBulk + mine.wantSingles + mine.wantBulk == 0 then
    redis.call('HDEL', key, worker)
  else
    redis.call('HSET', key, worker, table.concat({
      holdSingles, holdBulk, math.min(cap, mine.wantSingles), math.min(cap, mine.wantBulk), text(t + leaseMs),
      mine.singles + mine.bulk,
    }, ' '))
    redis.call('PEXPIRE', key, leaseMs * 4)
  end
  return singles, bulk
end
