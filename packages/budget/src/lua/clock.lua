-- The only source of time: Redis TIME in ms, microseconds as fractions. Tests replace this file.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + t[2] / 1000
end
