--!include epoch
-- KEYS  epoch
-- Result: id, made, beat, gap-from, gap-to, time now; nil when there is none
return epoch(KEYS[1])
