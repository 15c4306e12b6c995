-- submit: accepts rows of parts, one submission after the other. S1 to S4 of protocol.md.
-- KEYS[1] meta · ARGV fresh ms, retention ms, 1 if the tag must carry an epoch, then eight for each submission: part id, kind s|b, class s|b, turn,
--   source, number of the part's row before these, 1 if users are to be looked up before anything is sent for them,
--   rows: one line each, "row script kind name value" with kind g <ms> | l | r | d <duration> | x <duration>
-- Answers JSON {at, bells, submissions: [{s: taken|gap|cancelled, part, wm, refused, ended: [[outcome, action, number]],
--   record: of a single operation the access as it is now, unless it had been taken before}]}; error EPOCH
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
--!include view
-- An emptied tag takes nothing: it may be about to be restored. A restored one does, its operations wait.
if ARGV[3] == '1' and redis.call('EXISTS', tag .. 'epoch') == 0 then return redis.error_reply('EPOCH the account was emptied') end
local SUBMISSION = 8
local fresh, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = now()

-- Of the submission that is being taken: its part, what of it has ended, and whether a row of it was refused.
local number, kind, part, into, has_refused

local function begin_part(id, class, turn, source, validate)
  number = redis.call('HINCRBY', meta, 'part', 1)
  redis.call('SET', tag .. 'id:' .. id, number)
  redis.call('HSET', part_key(number), 'id', id, 'kind', kind, 'class', class, 'turn', turn, 'source', source, 'at', t, 'keep', keep,
    'total', 0, 'pending', 0, 'wm', 0)
  if validate == '1' then redis.call('HSET', part_key(number), 'validate', 1) end
end

-- S1: the first row that is new must follow the last one taken, or nothing at all is written. Answers the last row that had been taken
-- before, or nil where there is a gap.
local function taken_until(rows, wm, after)
  local first, last = tonumber(rows:match('^%d+')), after
  for row in rows:gmatch('(%d+) [^\n]+') do
    row = tonumber(row)
    local taken_before = row <= wm
    if not taken_before and last ~= wm and (last < wm or first == row) then return nil end
    if not taken_before then break end
    last = row
  end
  return last
end

local function refuse(row)
  has_refused = true
  redis.call('RPUSH', tag .. 'refused:' .. number, row)
end

-- S3: already so, nothing under way and surely known.
local function is_unchanged(e, c)
  local r = e.r
  local want = c.k == 'g' and c.a or c.k == 'l' and 'l' or c.k == 'r' and 'n'
  return want == r.base and #r.chain == 0 and is_sure(r, t, fresh) and redis.call('HEXISTS', claims_key, e.key) == 0
end

local function contributor(row_kind, value)
  local c = { k = row_kind, p = number }
  if row_kind == 'g' then
    c.a = tonumber(value)
  elseif row_kind == 'd' or row_kind == 'x' then
    c.n, c.u, c.a = tonumber(value:sub(1, -2)), value:sub(-1), t
  end
  return c
end

-- S2: an absolute operation replaces what is not fixed yet, an extension appends.
local function append(e, c)
  local r = e.r
  r.v = r.v + 1
  c.v = r.v
  accepted(c, 1)
  if kind == 's' then redis.call('HSET', part_key(number), 'script', e.script, 'name', e.name, 'v', c.v) end
  -- It outlives what failed before it, also where it turns out to be so already.
  if is_absolute(c) and r.redo then
    redis.call('DEL', redo_key(e))
    r.redo = false
  end
  if is_unchanged(e, c) then
    ended(e, c, 'unchanged', nil, t, into)
    r.last = OUTCOME_CODE.unchanged
    return save(e)
  end
  if is_absolute(c) then
    local gone = take_out(r, function(x) return x.v > r.tv end)
    for i = 1, #gone do ended(e, gone[i], 'superseded', nil, t, into) end
  end
  r.chain[#r.chain + 1] = c
  save(e)
end

-- The record of an access that nobody has mentioned before, by what the row asks for: most rows of a migration are one of these.
local templates, last_kind, last_value, last_template

local function template_of(row_kind, value)
  if row_kind == last_kind and value == last_value then return last_template end
  local id = row_kind .. value
  local template = templates[id]
  if not template then
    local r = blank()
    local c = contributor(row_kind, value)
    r.v, c.v, r.chain[1] = 1, 1, c
    template = { text = encode(r), c = c, count = 0 }
    templates[id] = template
  end
  last_kind, last_value, last_template = row_kind, value, template
  return template
end

-- The short way for an access without a record: as `append` to a blank one.
local function begin(script, name, row_kind, spelling, value)
  local template = template_of(row_kind, value)
  local text = spelling == name and template.text or with_case(template.text, case_of(spelling))
  if not insert(script, name, text) then return false end
  template.count = template.count + 1
  if kind == 's' then redis.call('HSET', part_key(number), 'script', script, 'name', name, 'v', 1) end
  return true
end

-- Rows alternate seldom between known accesses and others: what the last one was is tried first.
local expect_new, single

-- Answers whether something is pending afterwards.
local function take(row, script, name, row_kind, spelling, value)
  if expect_new and begin(script, name, row_kind, spelling, value) then return true end
  local e = load(script, name)
  expect_new = not e.exists
  if row_kind == 'x' and #e.r.chain >= CHAIN_MAX then
    refuse(row)
  else
    if not e.r.accepted then e.r.case = case_of(spelling) end
    append(e, contributor(row_kind, value))
  end
  if kind == 's' then single = view(e) end
  return #e.r.chain > 0
end

-- By script and name the group of its chunk: the last row of a key says which.
local touched, order

local function touch(script, name, row_kind, suffix, turn)
  local of_script = touched[script]
  if not of_script then
    of_script = { names = {} }
    for _, action in ipairs({ 'grant', 'revoke' }) do of_script[action] = group_of(script, action, action .. suffix, turn) end
    touched[script] = of_script
  end
  local names = of_script.names
  if not names[name] then
    local n = #order
    order[n + 1], order[n + 2] = names, name
  end
  names[name] = row_kind == 'r' and of_script.revoke or of_script.grant
end

local function ended_out()
  local counts, out = {}, {}
  for _, x in ipairs(into) do
    local kind_of = x[1] .. ' ' .. x[2]
    if not counts[kind_of] then
      counts[kind_of] = { x[1], x[2], 0 }
      out[#out + 1] = counts[kind_of]
    end
    counts[kind_of][3] = counts[kind_of][3] + 1
  end
  return list_out(out)
end

-- Of these rows, now or when they were first sent.
local function refused_out(rows, last)
  local first, refused = tonumber(rows:match('^%d+')), {}
  for _, row in ipairs(redis.call('LRANGE', tag .. 'refused:' .. number, 0, -1)) do
    row = tonumber(row)
    if first and row >= first and row <= last then refused[#refused + 1] = row end
  end
  return list_out(refused)
end

local function submit(id, kind_given, class, turn, source, after, validate, rows)
  kind, into, has_refused = kind_given, {}, false
  templates, last_kind, last_value, last_template = {}, nil, nil, nil
  expect_new, single, touched, order = false, nil, {}, {}
  number = tonumber(redis.call('GET', tag .. 'id:' .. id) or nil)
  local known, wm = number ~= nil, 0
  if known then
    local got = redis.call('HMGET', part_key(number), 'wm', 'stopped')
    if got[2] == '1' then return { s = 'cancelled' } end
    wm = tonumber(got[1])
  end
  local last = taken_until(rows, wm, after)
  if not last then return { s = 'gap', wm = wm } end
  if not known then begin_part(id, class, turn, source, validate) end
  part = part_of(number)

  local suffix = class == 'b' and '-bulk' or ''
  for row, script, row_kind, spelling, value in rows:gmatch('(%d+) (%d+) (%l) (%S+) ?([^\n]*)') do
    row = tonumber(row)
    local name = spelling:lower()
    local open = true
    if row > wm then
      open = take(row, script, name, row_kind, spelling, value)
      last = row
    end
    if open then touch(script, name, row_kind, suffix, turn) end
  end
  for _, template in pairs(templates) do
    if template.count > 0 then count(part, template.c, template.count, template.count) end
  end
  if last > wm then redis.call('HSET', part_key(number), 'wm', last) end

  -- S4: the same Lua writes the open chunks into their lane's turns.
  for i = 1, #order, 2 do
    local group, name = order[i][order[i + 1]], order[i + 1]
    gather(group, name)
  end
  local refused = (known or has_refused) and refused_out(rows, last) or nil
  return { s = 'taken', part = number, wm = math.max(wm, last), refused = refused, ended = ended_out(), record = single }
end

local answers = {}
for i = 4, #ARGV, SUBMISSION do
  answers[#answers + 1] = submit(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], tonumber(ARGV[i + 5]), ARGV[i + 6], ARGV[i + 7])
end
flush_chunks()
flush_parts(t)
flush_store()
return cjson.encode({ at = t, bells = bells_out(), submissions = answers })
