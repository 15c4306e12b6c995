--!include account
-- All accounts and routes, if anything has changed since a revision.
-- KEYS  accounts, revision, scripts
-- ARGV  revision that the caller has ('' = none), prefix of account keys
-- Result: { revision } when nothing has changed; else { revision, { id, account, … }, { script, route, … } }
local revision = redis.call('GET', KEYS[2]) or '0'
if revision == ARGV[1] then
  return { revision }
end
local accounts = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  accounts[#accounts + 1] = id
  accounts[#accounts + 1] = account(ARGV[2] .. id)
end
return { revision, accounts, redis.call('HGETALL', KEYS[3]) }
