-- The timeline of an account: stream `history`, written by the Lua that ends operations. One XADD for up to 64 of them: one for each
-- costs 6 µs an operation, as much as a fifth of a settle. Fields of an entry:
--   n = operations before it; p = whom they came from, a line each: "s|b source part" (single or batch, API key, operation or batch id);
--   o = the operations, oldest first, each "\naccess version outcome asked line-of-p code": outcome = its number in OUTCOMES,
--   asked = g<ms> | l | r | d<duration> | x<duration>, code = error or nothing.
local HISTORY_MAX, HISTORY_LINES, HISTORY_TRIM = 100000, 64, 1000
local history_key = tag .. 'history'
local past = { lines = {}, refs = {}, index = {} }

local function asked_out(c)
  if c.k == 'g' then return string.format('g%d', c.a) end
  if c.k == 'd' or c.k == 'x' then return c.k .. c.n .. c.u end
  return c.k
end

-- Operations are counted, not entries, whose size differs; every thousandth one drops what is over.
local function trim_history(total)
  local from = '-'
  while true do
    local entries = redis.call('XRANGE', history_key, from, '+', 'COUNT', 200)
    if #entries == 0 then return end
    for i = 1, #entries do
      if total - tonumber(entries[i][2][2]) <= HISTORY_MAX then return redis.call('XTRIM', history_key, 'MINID', entries[i][1]) end
    end
    from = '(' .. entries[#entries][1]
  end
end

local function flush_history()
  local n = #past.lines
  if n == 0 then return end
  local total = redis.call('HINCRBY', meta, 'history', n)
  redis.call('XADD', history_key, '*', 'n', total - n, 'p', table.concat(past.refs, '\n'), 'o', table.concat(past.lines))
  if total % HISTORY_TRIM < n then trim_history(total) end
  past = { lines = {}, refs = {}, index = {} }
end

local function ref_of(p)
  local ref = past.index[p]
  if not ref then
    ref = #past.refs + 1
    past.refs[ref] = p.kind .. ' ' .. p.source .. ' ' .. p.id
    past.index[p] = ref
  end
  return ref
end

-- A line after its version: most of an entry end in the same way.
local function tail_of(c, p, outcome, code)
  local last = past.last
  if not last or last.p ~= p or last.outcome ~= outcome or last.code ~= code or last.k ~= c.k or last.a ~= c.a or last.n ~= c.n or last.u ~= c.u then
    last = { p = p, outcome = outcome, code = code, k = c.k, a = c.a, n = c.n, u = c.u }
    last.text = ' ' .. OUTCOME_CODE[outcome] .. ' ' .. asked_out(c) .. ' ' .. ref_of(p) .. ' ' .. (code or '')
    past.last = last
  end
  return last.text
end

local function remember(e, c, p, outcome, code)
  past.lines[#past.lines + 1] = '\n' .. e.key .. ' ' .. whole(c.v) .. tail_of(c, p, outcome, code)
  if #past.lines == HISTORY_LINES then flush_history() end
end
