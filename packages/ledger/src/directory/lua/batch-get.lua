--!include batch
-- KEYS  batch
-- Result: fields and values of its record; nil when it is gone
return batch(KEYS[1])
