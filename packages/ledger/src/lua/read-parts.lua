-- read-parts: counters of parts. KEYS[1] meta · ARGV ids · Answers JSON {parts: [fields or false], now}
--!include clock
--!include store
--!include parts
local t = now()
local out = {}
for i, id in ipairs(ARGV) do
  local number = redis.call('GET', tag .. 'id:' .. id)
  local all = number and redis.call('HGETALL', part_key(number)) or {}
  if #all == 0 then
    out[i] = false
  else
    local p = { number = tonumber(number) }
    for j = 1, #all, 2 do p[all[j]] = all[j + 1] end
    if p.name then
      local e = load(p.script, p.name)
      p.name = spelled(p.name, e.r.case)
    end
    -- The decayed sum over its time constant is the rate; early on the sum has not filled up yet.
    if p.rate then
      local sum = tonumber(p.rate) * math.exp((tonumber(p.rateAt) - t) / RATE_MS)
      local filled = 1 - math.exp((tonumber(p.rateFrom) - t - 1000) / RATE_MS)
      p.rate = sum / (RATE_MS / 1000) / filled
    end
    out[i] = p
  end
end
return cjson.encode({ parts = list_out(out) })
