-- spoil: a tag that was restored fits no epoch until it is stamped; refreshes made before do not count. An emptied tag stays empty.
-- KEYS[1] epoch hash · Answers 1, or 0 when the tag is empty.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if field:sub(1, 10) == 'refreshed:' then redis.call('HDEL', KEYS[1], field) end
end
redis.call('HSET', KEYS[1], 'id', 'restored')
return 1
