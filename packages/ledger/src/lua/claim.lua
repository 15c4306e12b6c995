-- claim: takes keys in hand, as many as the permits cover. C0 to C6 of protocol.md.
-- KEYS[1] meta · ARGV script, token, lease ms, fresh ms, U ms, tries, permits grant, revoke, list, names (spaces between),
--   epoch ('' = not asked), newest beat seen · Answers JSON {at, needs: [{need, …}], keys, ended, takeovers, beat}, where keys is of each
--   name the number of what it needs in `needs`; error EPOCH
--!include clock
--!include store
--!include parts
--!include chunks
--!include claims
--!include cancelled
local refusal, beat = refuse_epoch(ARGV[11], tonumber(ARGV[12]))
if refusal then return refusal end
local script, token = ARGV[1], ARGV[2]
local lease, fresh, U, max_tries = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local permits = { grant = tonumber(ARGV[7]), revoke = tonumber(ARGV[8]), list = tonumber(ARGV[9]) }
local POISON_LAPSES = 5
local t = now()
local into = {}
local alone = not ARGV[10]:find(' ', 1, true)
local takeovers = 0
local cancelling = redis.call('EXISTS', tag .. 'cancelling') == 1

local function is_cancelled(number)
  return redis.call('HEXISTS', tag .. 'cancelling', number) == 1
end

-- C1: a lapsed claim of another. What it had armed may still land (R10). A key whose claims keep lapsing is poison.
local function take_over(e, c)
  local r = e.r
  release(e.key)
  takeovers = takeovers + 1
  if c.armed then open_window(r, c.until_ + U) end
  r.lapses = math.min(255, r.lapses + 1)
  if r.lapses >= POISON_LAPSES and fixed_count(r) > 0 then
    end_refused(e, r.tv, 'failed', 'POISON', t, into)
    r.base = '?'
    reset_lapses(e)
    reset_tries(e)
    open_window(r, c.until_ + U)
  end
end

-- Which budget the first call of this key's work is paid from; nil when no call may be needed (C6).
local function budget_of(r, need)
  if need ~= 'write' then return 'list' end
  local last = r.chain[#r.chain]
  local sure = is_sure(r, t, fresh)
  if last.k == 'r' then return not (sure and r.base == 'n') and 'revoke' or nil end
  if last.k == 'g' then
    if sure and r.base == last.a then return nil end
    return last.a <= t and 'revoke' or 'grant'
  end
  if sure and r.base == 'l' and (last.k == 'l' or last.k == 'x' and #r.chain == 1) then return nil end
  return 'grant'
end

local function waits(e)
  set_due(e.key, e.r.window)
  return { need = 'wait', at = e.r.window }
end

-- What the key needs: done, wait, verify, final, write or base.
local function need_of(r)
  if #r.chain == 0 then return r.window == 0 and 'done' or t < r.window and 'wait' or 'verify' end
  local fixed = fixed_count(r) > 0
  if r.tries >= max_tries and fixed then return t < r.window and 'wait' or 'final' end
  for i = 1, #r.chain do
    if is_absolute(r.chain[i]) then return 'write' end
  end
  if r.base == '?' then return t < r.window and 'wait' or 'base' end
  if is_fresh(r, t, fresh) or r.window > 0 or fixed then return 'write' end
  return 'base'
end

-- Records of the same text become the same: a migration claims thousands that differ in nothing but their name, and most of the time went
-- into decoding each. Text → { text afterwards, claim as it is kept, until_, budget, answer }, of records that were armed and nothing else.
local alike = {}

local function claim_alike(e)
  local same = alike[e.text]
  if not same then return nil end
  if same.budget then
    if permits[same.budget] < 1 then return nil end
    permits[same.budget] = permits[same.budget] - 1
  end
  put_claim(e.key, same.claim)
  set_due(e.key, same.until_)
  save(e, same.text)
  return same.answer
end

local function claim(name)
  local e = read(script, name)
  local held = claim_of(e.key)
  if not held and not cancelling then
    local answer = claim_alike(e)
    if answer then return answer end
  end
  local r = load(script, name).r
  local dirty = false
  if held and held.token ~= token then
    if held.until_ > t then return { need = 'held' } end
    take_over(e, held)
    dirty = true
  end
  if cancelling and #r.chain > 0 and drop_cancelled(e, is_cancelled, t, into) then dirty = true end
  local need = need_of(r)
  local before, only, answer = e.text, false, nil
  if need == 'done' then
    drop_due(e.key)
    answer = { need = 'done' }
  elseif need == 'wait' then
    answer = waits(e)
  elseif r.lapses >= ALONE_LAPSES and not (alone and begin_suspect(e, t, lease)) then
    -- Also in a chunk that its job got back: the sweep rings for it alone.
    local at = alone and t + AGAIN_MS or t
    set_due(e.key, at)
    answer = { need = 'wait', at = at }
  else
    local budget = budget_of(r, need)
    if budget and permits[budget] < 1 then
      answer = { need = 'permit', budget = budget }
    else
      if budget then permits[budget] = permits[budget] - 1 end
      local c = { token = token, until_ = t + lease, at = t, armed = false }
      if need == 'write' then
        -- Most often that is all that changes in a record.
        only = not dirty and r.tv ~= r.v
        arm(e, c)
        if only then save(e, with_tv(e.text, r.tv)) end
      end
      local text = write_claim(e.key, c)
      set_due(e.key, c.until_)
      answer = work_out(e, need, t, fresh)
      if only and not held and r.lapses < ALONE_LAPSES and r.case == '' then
        alike[before] = { text = e.text, claim = text, until_ = c.until_, budget = budget, answer = answer }
      end
    end
  end
  if dirty then save(e) end
  return answer
end

-- All are read before anything is written: a record that a newer release has written stops the script here.
local names, keys = {}, {}
for name in ARGV[10]:gmatch('%S+') do
  names[#names + 1] = name
  keys[#keys + 1] = read(script, name).key
end
gather_claims(keys)
local needs, number_of, numbers = {}, {}, {}
for i = 1, #names do
  local answer = claim(names[i])
  if not number_of[answer] then
    needs[#needs + 1] = answer
    number_of[answer] = #needs
  end
  numbers[i] = number_of[answer]
end
flush_claims()
flush_parts(t)
flush_store()
return cjson.encode({ at = t, needs = list_out(needs), keys = list_out(numbers), ended = list_out(into), takeovers = takeovers, beat = beat })
