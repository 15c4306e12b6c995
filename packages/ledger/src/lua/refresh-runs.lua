-- Runs of a refresh: hash `refresh-run:<id>`, lists `refresh-drift:<id>:<kind>` of JSON [name, ledger, upstream], and hash `refreshing` script →
-- the run that is not over. Everything of a run lives as long as retention from its last change on.
local refreshing_key = tag .. 'refreshing'
local DRIFT_KINDS = { 'missing', 'surplus', 'otherExpiry' }

local function run_key(id)
  return tag .. 'refresh-run:' .. id
end

local function drift_key(id, kind)
  return tag .. 'refresh-drift:' .. id .. ':' .. kind
end

local function keep_run(id, ms)
  redis.call('PEXPIRE', run_key(id), ms)
  for _, kind in ipairs(DRIFT_KINDS) do redis.call('PEXPIRE', drift_key(id, kind), ms) end
end

-- Is it in the hands of this token?
local function holds_run(id, token)
  return redis.call('HGET', run_key(id), 'token') == token
end
