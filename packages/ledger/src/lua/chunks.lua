-- Open chunks: hash `chunks` id → "script action lane turn\nname\n…"; per lane a rotation `turns:<lane>` of the turns that have chunks waiting in
-- `wait:<lane>:<turn>`, and `took:<lane>` job → chunk. A turn is in the rotation exactly while its list is not empty.
local CHUNK_KEYS = 50
local bells = {}

local function queue_chunk(lane, turn, id, front)
  local wait = tag .. 'wait:' .. lane .. ':' .. turn
  local length = redis.call(front and 'LPUSH' or 'RPUSH', wait, id)
  if length == 1 then redis.call(front and 'LPUSH' or 'RPUSH', tag .. 'turns:' .. lane, turn) end
  redis.call('HINCRBY', meta, 'waiting:' .. lane, 1)
  bells[lane] = (bells[lane] or 0) + 1
end

local function add_chunk(script, action, lane, turn, names)
  local id = redis.call('HINCRBY', meta, 'chunk', 1)
  redis.call('HSET', tag .. 'chunks', id, script .. ' ' .. action .. ' ' .. lane .. ' ' .. turn .. '\n' .. table.concat(names, '\n'))
  queue_chunk(lane, turn, id, false)
end

-- Gathers keys by (script, action, lane, turn) and writes chunks of at most 50. A key is gathered once: claimed twice under one token
-- it would be written twice at a time.
local groups, group_order = {}, {}

local function flush_group(g)
  if #g.names > 0 then add_chunk(g.script, g.action, g.lane, g.turn, g.names) end
  g.names = {}
end

local function group_of(script, action, lane, turn)
  local id = script .. ' ' .. lane .. ' ' .. turn
  local g = groups[id]
  if not g then
    g = { script = script, action = action, lane = lane, turn = turn, names = {}, seen = {} }
    groups[id] = g
    group_order[#group_order + 1] = g
  end
  return g
end

local function gather(g, name)
  if g.seen[name] then return end
  g.seen[name] = true
  g.names[#g.names + 1] = name
  if #g.names == CHUNK_KEYS then flush_group(g) end
end

local function into_chunk(script, action, lane, turn, name, alone)
  if alone then return add_chunk(script, action, lane, turn, { name }) end
  gather(group_of(script, action, lane, turn), name)
end

local function flush_chunks()
  for _, g in ipairs(group_order) do flush_group(g) end
end

local function bells_out()
  return next(bells) and bells or nil
end
