-- Whether this tag is the one that the caller remembers. Included after `tag` is known.
-- `since`: what was known before, in Redis TIME, is not believed any more.
local since

local function known_since()
  since = since or tonumber(redis.call('HGET', tag .. 'epoch', 'since') or 0)
  return since
end

local BEAT_SLACK_MS = 10000

-- Answers an error where the tag does not carry the epoch, or is older than what was seen of it; else nil and its beat. id '' = not asked.
local function refuse_epoch(id, seen)
  if id == '' then return nil, 0 end
  local e = redis.call('HMGET', tag .. 'epoch', 'id', 'beat', 'gap-from', 'gap-to')
  local beat, from, to = tonumber(e[2] or 0), tonumber(e[3] or 0), tonumber(e[4] or 0)
  local back = beat < seen - BEAT_SLACK_MS or seen > from + BEAT_SLACK_MS and seen < to
  if e[1] ~= id or back then return redis.error_reply('EPOCH the account was restored or emptied') end
  return nil, beat
end
