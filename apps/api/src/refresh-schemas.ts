import { z } from 'zod';
import { moment, named } from './schema-parts.ts';
import { reason } from './schemas.ts';

export const refreshBody = named(
  'RefreshRequest',
  z.strictObject({
    mode: z
      .enum(['report', 'adopt'])
      .describe('`adopt` takes the list as known once it is read and compared completely'),
    reason,
  }),
);

const side = z.object({
  state: z.enum(['granted', 'none', 'unknown']),
  expiresAt: moment.nullable().describe('null = lifetime where granted'),
});

export const drift = named('Drift', z.object({ username: z.string(), ledger: side, upstream: side }));

const kindOfDrift = z.object({ count: z.number().int(), items: z.array(drift).describe('The first 100') });

export const refresh = named(
  'Refresh',
  z.object({
    id: z.string(),
    script: z.string(),
    mode: z.enum(['report', 'adopt']),
    state: z.enum(['queued', 'running', 'done', 'failed']),
    progress: z.object({ pages: z.number().int(), members: z.number().int() }).describe('Read so far'),
    drift: z
      .object({
        missing: kindOfDrift.describe('Known here as granted, and on no page of the list'),
        surplus: kindOfDrift.describe('On the list, and not known here as granted'),
        otherExpiry: kindOfDrift.describe('On the list with another expiry'),
        known: z.number().int().describe('Accesses compared'),
        skipped: z.number().int().describe('Left alone: an operation is under way, or newer than the list'),
      })
      .nullable()
      .describe('null until the whole list is read and compared'),
    error: z.object({ code: z.string(), detail: z.string() }).nullable().describe('Why it failed; nothing was adopted'),
    createdAt: moment,
    startedAt: moment.nullable(),
    endedAt: moment.nullable(),
  }),
);

export const refreshParams = z.strictObject({ refresh: z.string().min(1).max(200).describe('Id of the refresh') });
