-- redrive: failed operations enter their chains again with a new version and their own accept time; one after which something
-- else was accepted becomes `superseded`. KEYS[1] meta · ARGV 'part', part id, limit · or 'access', script, name
-- Answers JSON {redriven, superseded, refused, bells, more} or {} when there is nothing failed.
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
local t = now()
local redriven, superseded, refused = 0, 0, 0

local function contributor_in(x, v, number)
  local c = { k = x[1], v = v, p = number }
  if c.k == 'g' then c.a = x[4] end
  if c.k == 'x' or c.k == 'd' then c.n, c.u, c.a = x[4], x[5], x[6] end
  return c
end

local function move_count(p, from, to)
  p.outcomes[from] = (p.outcomes[from] or 0) - 1
  p.outcomes[to] = (p.outcomes[to] or 0) + 1
end

-- An extension is outlived by a later absolute operation only, an absolute one by anything accepted after it.
local function is_outlived(e, f)
  if redis.call('HEXISTS', redo_key(e), f.v) == 0 or f.l then return true end
  return f.x[1] ~= 'x' and e.r.v > f.w
end

-- A chain that is full takes it later: it stays failed, and kept.
local function redrive(f, text)
  local e = load(tostring(f.s), f.n:lower())
  local r = e.r
  local p = part_of(f.x[3])
  if not p.id then return end
  local outlived = is_outlived(e, f)
  if not outlived and #r.chain >= CHAIN_MAX then
    refused = refused + 1
    redis.call('RPUSH', tag .. 'failed:' .. p.number, text)
    return
  end
  redis.call('HDEL', redo_key(e), f.v)
  if outlived then
    move_count(p, 'failed', 'superseded')
    remember(e, contributor_in(f.x, f.v, p.number), p, 'superseded')
    superseded = superseded + 1
    p.settled = p.settled + 1
    if p.kind == 's' then p.single = { 'superseded', '' } end
    return
  end
  r.v = r.v + 1
  local c = contributor_in(f.x, r.v, p.number)
  r.chain[#r.chain + 1] = c
  r.redo = redis.call('EXISTS', redo_key(e)) == 1
  p.outcomes.failed = (p.outcomes.failed or 0) - 1
  accepted(c, 0)
  if p.kind == 's' then redis.call('HSET', part_key(p.number), 'v', c.v, 'outcome', '', 'error', '') end
  save(e)
  redriven = redriven + 1
  local action = action_of(c)
  into_chunk(e.script, action, lane_of(c, p), p.turn, e.name)
end

local more = 0
if ARGV[1] == 'part' then
  local number = redis.call('GET', tag .. 'id:' .. ARGV[2])
  if not number then return '{}' end
  if redis.call('HGET', part_key(number), 'stopped') == '1' then return '{}' end
  local list = tag .. 'failed:' .. number
  -- Those that were kept are at the end and not met again in this call.
  for _ = 1, math.min(tonumber(ARGV[3]), redis.call('LLEN', list)) do
    local text = redis.call('LPOP', list)
    if not text then break end
    redrive(cjson.decode(text), text)
  end
  -- A step that only met full chains would be repeated for ever.
  more = redriven + superseded > 0 and redis.call('LLEN', list) - refused or 0
else
  local e = load(ARGV[2], ARGV[3])
  local all = redis.call('HVALS', redo_key(e))
  local failures = {}
  for _, text in ipairs(all) do
    local f = cjson.decode(text)
    f.text = text
    -- What a cancelled batch has left does not come back.
    if redis.call('HGET', part_key(f.x[3]), 'stopped') ~= '1' then failures[#failures + 1] = f end
  end
  table.sort(failures, function(a, b) return a.v < b.v end)
  for _, f in ipairs(failures) do
    if redis.call('LREM', tag .. 'failed:' .. f.x[3], 1, f.text) == 1 then redrive(f, f.text) end
  end
  if #failures == 0 then return '{}' end
end
flush_chunks()
flush_parts(t)
flush_store()
return cjson.encode({ redriven = redriven, superseded = superseded, refused = refused, bells = bells_out(), more = more })
