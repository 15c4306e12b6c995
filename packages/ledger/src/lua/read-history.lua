-- read-history: the operations of one access that ended, newest first; one step over so many entries of its account's history.
-- KEYS[1] meta · ARGV access, id to begin at or '+', operations of that entry to skip from its end, entries to look at, limit
-- Answers {id and operations to skip for the next step, or '' and '' at the end; id, whom from, operation, …}
local from = KEYS[1]:sub(1, -7) .. 'history'
local wanted, limit = '\n' .. ARGV[1] .. ' ', tonumber(ARGV[5])
local skip = tonumber(ARGV[3])
local entries = redis.call('XREVRANGE', from, ARGV[2], '-', 'COUNT', ARGV[4])
local out = { '', '' }

local function lines_of(text)
  local found, at = {}, 1
  while true do
    local first, last = text:find(wanted, at, true)
    if not first then return found end
    local ends = text:find('\n', last, true) or #text + 1
    found[#found + 1] = text:sub(last + 1, ends - 1)
    at = ends
  end
end

local function ref_of(refs, line)
  local number, n = tonumber(line:match('^%S+ %S+ %S+ (%d+)')), 0
  for ref in refs:gmatch('[^\n]+') do
    n = n + 1
    if n == number then return ref end
  end
end

for i = 1, #entries do
  local id, fields = entries[i][1], entries[i][2]
  local lines = lines_of(fields[6])
  for l = #lines - skip, 1, -1 do
    out[#out + 1] = id
    out[#out + 1] = ref_of(fields[4], lines[l])
    out[#out + 1] = lines[l]
    if #out == 2 + 3 * limit then
      out[1], out[2] = id, #lines - l + 1
      return out
    end
  end
  skip = 0
end
if #entries == tonumber(ARGV[4]) then
  -- The entry itself is read again, and all of it skipped: one that came meanwhile has a greater id.
  out[1], out[2] = entries[#entries][1], 1000
end
return out
