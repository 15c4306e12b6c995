-- read-access: records of one script. KEYS[1] meta · ARGV script, names (spaces between)
-- Answers JSON {records: [record or false]}
--!include store
--!include view
local out = {}
for name in ARGV[2]:gmatch('%S+') do
  local e = load(ARGV[1], name)
  out[#out + 1] = e.exists and view(e) or false
end
return cjson.encode({ records = list_out(out) })
