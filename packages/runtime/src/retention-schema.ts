import { z } from 'zod';

const DAY_MS = 86_400_000;
const MOST_DAYS = 3_650;

/** `RETENTION_DAYS`: days, also parts of one, 7 if not set; to ms, at least one. */
export const retentionSchema = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?$/, 'must be a number of days, such as 7 or 0.5.')
  .transform(Number)
  .refine((days) => days > 0 && days <= MOST_DAYS, { error: `must lie above 0 and be at most ${MOST_DAYS}.` })
  .transform((days) => Math.max(1, Math.round(days * DAY_MS)))
  .default(7 * DAY_MS);
