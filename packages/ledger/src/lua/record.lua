-- The packed record of one access. Format 1, big-endian:
--   B format, B flags, B last outcome, B length of case, I3 v, I3 tv, I6 at, [I6 base date], [I6 window, B tries, B lapses],
--   case bytes, [B contributors, each: B kind, I3 v, I4 part, (g: I6 date | x, d: I2 amount, B unit, I6 accept time)]
-- In Lua a state is '?' unknown, 'n' none, 'l' lifetime, or a number (expiry, ms). A contributor is
-- { k = 'g' date | 'l' life | 'r' revoke | 'd' duration from acceptance | 'x' extension, v, p = part, a = date or accept time, n, u }.
local FORMAT = 1
local OUTCOMES = { 'granted', 'changed', 'revoked', 'unchanged', 'superseded', 'rejected', 'failed', 'cancelled' }
local OUTCOME_CODE = {}
for i, o in ipairs(OUTCOMES) do OUTCOME_CODE[o] = i end
local pack, unpack_, char, byte, floor = struct.pack, struct.unpack, string.char, string.byte, math.floor

-- A whole number as text: Lua's own way of writing one takes three times as long, and a call writes the same few again and again.
local written = {}

local function whole(n)
  local text = written[n]
  if not text then
    text = string.format('%d', n)
    written[n] = text
  end
  return text
end

local function state_in(s)
  return tonumber(s) or s
end

local function state_out(s)
  return type(s) == 'number' and whole(s) or s
end

-- Flags: 1-2 base kind, 4 spelling accepted, 8 window/tries/lapses follow, 16 a chain follows, 32 failed operations can be redriven
local function encode(r)
  local b = r.base
  local flags = b == '?' and 0 or b == 'n' and 1 or b == 'l' and 2 or 3
  local out = { '', '', '', '' }
  if r.accepted then flags = flags + 4 end
  if flags % 4 == 3 then out[2] = pack('>I6', b) end
  if r.window > 0 or r.tries > 0 or r.lapses > 0 then
    flags = flags + 8
    out[3] = pack('>I6BB', r.window, r.tries, r.lapses)
  end
  out[4] = r.case
  local n = #r.chain
  if n > 0 then
    flags = flags + 16
    out[5] = char(n)
    for i = 1, n do
      local c = r.chain[i]
      local k = c.k
      if k == 'g' then
        out[5 + i] = pack('>BI3I4I6', byte(k), c.v, c.p, c.a)
      elseif k == 'x' or k == 'd' then
        out[5 + i] = pack('>BI3I4I2BI6', byte(k), c.v, c.p, c.n, byte(c.u), c.a)
      else
        out[5 + i] = pack('>BI3I4', byte(k), c.v, c.p)
      end
    end
  end
  if r.redo then flags = flags + 32 end
  out[1] = pack('>BBBBI3I3I6', FORMAT, flags, r.last, #r.case, r.v, r.tv, r.at)
  return table.concat(out)
end

local BASES = { [0] = '?', 'n', 'l' }

-- A record that a newer release has written stops a script: call it before anything is written.
local function check_format(s)
  local format = byte(s)
  if format ~= FORMAT then error('FORMAT record format ' .. format .. ' is newer than this code') end
end

local function decode(s)
  local _, flags, last, case, v, tv, at, pos = unpack_('>BBBBI3I3I6', s)
  local r = { v = v, tv = tv, at = at, last = last, window = 0, tries = 0, lapses = 0, chain = {} }
  r.accepted = floor(flags / 4) % 2 == 1
  r.redo = floor(flags / 32) % 2 == 1
  local base = flags % 4
  if base == 3 then
    r.base, pos = unpack_('>I6', s, pos)
  else
    r.base = BASES[base]
  end
  if floor(flags / 8) % 2 == 1 then
    r.window, r.tries, r.lapses, pos = unpack_('>I6BB', s, pos)
  end
  r.case = s:sub(pos, pos + case - 1)
  pos = pos + case
  if floor(flags / 16) % 2 == 1 then
    local n = byte(s, pos)
    pos = pos + 1
    for i = 1, n do
      local k, cv, p
      k, cv, p, pos = unpack_('>BI3I4', s, pos)
      local c = { k = char(k), v = cv, p = p }
      if c.k == 'g' then
        c.a, pos = unpack_('>I6', s, pos)
      elseif c.k == 'x' or c.k == 'd' then
        local u
        c.n, u, c.a, pos = unpack_('>I2BI6', s, pos)
        c.u = char(u)
      end
      r.chain[i] = c
    end
  end
  return r
end

local function blank()
  return { v = 0, tv = 0, at = 0, last = 0, base = '?', window = 0, tries = 0, lapses = 0, chain = {}, case = '', accepted = false, redo = false }
end

-- An encoded record with an empty case, with this one.
local function with_case(text, case)
  if case == '' then return text end
  return text:sub(1, 3) .. char(#case) .. text:sub(5, 16) .. case .. text:sub(17)
end

-- An encoded record with another armed version.
local function with_tv(text, tv)
  return text:sub(1, 7) .. pack('>I3', tv) .. text:sub(11)
end

-- Which letters of a spelling are capitals, as bits; '' when none is.
local function case_of(spelling)
  if not spelling:find('%u') then return '' end
  local bits, top = {}, 0
  for i = 1, #spelling do
    local b = byte(spelling, i)
    if b >= 65 and b <= 90 then
      top = floor((i - 1) / 8) + 1
      bits[top] = (bits[top] or 0) + 2 ^ ((i - 1) % 8)
    end
  end
  for i = 1, top do bits[i] = char(bits[i] or 0) end
  return table.concat(bits, '', 1, top)
end

local function spelled(name, case)
  if case == '' then return name end
  local out = {}
  for i = 1, #name do
    local b = byte(case, floor((i - 1) / 8) + 1) or 0
    local letter = name:sub(i, i)
    out[i] = floor(b / 2 ^ ((i - 1) % 8)) % 2 == 1 and letter:upper() or letter
  end
  return table.concat(out)
end

-- Contributors that a chain may have.
local CHAIN_MAX = 32

-- A contributor for the worker and the api: kind, version, part, then date or amount, unit, accept time.
local function contributor_out(c)
  if c.k == 'g' then return { c.k, c.v, c.p, c.a } end
  if c.k == 'x' or c.k == 'd' then return { c.k, c.v, c.p, c.n, c.u, c.a } end
  return { c.k, c.v, c.p }
end

local function is_absolute(c)
  return c.k ~= 'x'
end

-- cjson writes an empty table as {}: an empty list is left out instead.
local function list_out(list)
  return #list > 0 and list or nil
end

local function chain_out(r)
  local chain = {}
  for i = 1, #r.chain do chain[i] = contributor_out(r.chain[i]) end
  return list_out(chain)
end
