--!include batch
-- Ends retention.
-- KEYS  batch and what belongs to it
-- Result: 1, or 0 when the batch is gone
retain()
return redis.call('EXISTS', KEYS[1])
