-- Where records live. KEYS[1] is the account's meta hash `<tag>:ledger`; every other key carries the same tag.
-- Records are fields of small hashes (listpacks), found by linear hashing: script s has `b:s` buckets and `n:s` records, and each insert
-- over LOAD records a bucket splits one bucket in two, so that hashes stay small at any size and no insert ever moves more than one.
-- A record over 64 bytes lives in a key of its own and leaves '*' in the bucket, or it would unpack the whole hash for good.
--!include record
local tag = KEYS[1]:sub(1, -7)
local meta = KEYS[1]
local LOAD = 32
local LISTPACK_VALUE = 64
local scripts, records = {}, {}

-- h = (h * 69069 + byte) % 4294967291 over all bytes; four at a time, because a call of `byte` costs more than the sum.
local function hash(name)
  local h, length = 5381, #name
  local whole = length - length % 4
  for i = 1, whole, 4 do
    local a, b, c, d = byte(name, i, i + 3)
    h = ((((h * 69069 + a) % 4294967291 * 69069 + b) % 4294967291 * 69069 + c) % 4294967291 * 69069 + d) % 4294967291
  end
  for i = whole + 1, length do h = (h * 69069 + byte(name, i)) % 4294967291 end
  return h
end

local function size_of(script)
  local s = scripts[script]
  if not s then
    local got = redis.call('HMGET', meta, 'b:' .. script, 'n:' .. script)
    s = { b = tonumber(got[1] or 1), n = tonumber(got[2] or 0), script = script, prefix = tag .. 'rec:' .. script .. ':', keys = {} }
    s.p = 1
    while s.p * 2 <= s.b do s.p = s.p * 2 end
    scripts[script] = s
  end
  return s
end

local function bucket_key(script, bucket)
  local size = size_of(script)
  local key = size.keys[bucket]
  if not key then
    key = size.prefix .. whole(bucket)
    size.keys[bucket] = key
  end
  return key
end

local function bucket_of(size, h)
  local i = h % (2 * size.p)
  return i < size.b and i or h % size.p
end

local function long_key(script, name)
  return tag .. 'long:' .. script .. ':' .. name
end

local function access_key(script, name)
  return script .. ':' .. name
end

local function split(size)
  local from, to = size.b - size.p, size.b
  local all = redis.call('HGETALL', bucket_key(size.script, from))
  local moved, gone = {}, {}
  for i = 1, #all, 2 do
    if hash(all[i]) % (2 * size.p) == to then
      moved[#moved + 1] = all[i]
      moved[#moved + 1] = all[i + 1]
      gone[#gone + 1] = all[i]
    end
  end
  for i = 1, #moved, 100 do redis.call('HSET', bucket_key(size.script, to), unpack(moved, i, math.min(i + 99, #moved))) end
  for i = 1, #gone, 100 do redis.call('HDEL', bucket_key(size.script, from), unpack(gone, i, math.min(i + 99, #gone))) end
  size.b = size.b + 1
  if size.b == 2 * size.p then size.p = size.b end
end

local function grow(size)
  size.n = size.n + 1
  size.dirty = true
  if size.n > size.b * LOAD then split(size) end
end

-- The entry of an access, as it is kept: { script, name, key, hash, text = the record encoded, exists, long }. One per call, so that rows of one
-- call see each other.
local function read(script, name)
  local key = access_key(script, name)
  local e = records[key]
  if e then return e end
  e = { script = script, name = name, key = key, hash = hash(name) }
  local s = redis.call('HGET', bucket_key(script, bucket_of(size_of(script), e.hash)), name)
  if s == '*' then
    e.long = true
    s = redis.call('GET', long_key(script, name))
  end
  if s then check_format(s) end
  e.exists = s and true or false
  e.text = s
  records[key] = e
  return e
end

-- The same with its record, r.
local function load(script, name)
  local e = read(script, name)
  if not e.r then e.r = e.text and decode(e.text) or blank() end
  return e
end

-- Writes an entry; `text`: its record encoded, where the caller has it and r, if it is there, says the same.
local function save(e, text)
  local s = text or encode(e.r)
  e.text = s
  local size = size_of(e.script)
  local bucket = bucket_key(e.script, bucket_of(size, e.hash))
  if #s > LISTPACK_VALUE then
    redis.call('SET', long_key(e.script, e.name), s)
    if not e.long then redis.call('HSET', bucket, e.name, '*') end
    e.long = true
  else
    redis.call('HSET', bucket, e.name, s)
    if e.long then redis.call('DEL', long_key(e.script, e.name)) end
    e.long = false
  end
  if not e.exists then
    e.exists = true
    grow(size)
  end
end

-- Writes an encoded record of up to 64 bytes if the access has none; answers whether it had none. Half of what load and save cost.
local function insert(script, name, text)
  local size = size_of(script)
  if redis.call('HSETNX', bucket_key(script, bucket_of(size, hash(name))), name, text) == 0 then return false end
  grow(size)
  return true
end

local function flush_store()
  for script, size in pairs(scripts) do
    if size.dirty then redis.call('HSET', meta, 'b:' .. script, size.b, 'n:' .. script, size.n) end
  end
end

-- Calls visit(entry) for every record of a script from a bucket on, until `limit` records were seen; answers the next bucket or nil.
local function each_record(script, from, limit, visit)
  local size, seen, bucket = size_of(script), 0, from
  while bucket < size.b and seen < limit do
    local all = redis.call('HKEYS', bucket_key(script, bucket))
    for i = 1, #all do visit(load(script, all[i])) end
    seen = seen + math.max(1, #all)
    bucket = bucket + 1
  end
  return bucket < size.b and bucket or nil
end
