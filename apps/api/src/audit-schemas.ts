import { AUDIT_ACTIONS, AUDIT_RESULTS } from '@pinegate/ledger';
import { z } from 'zod';
import { moment, named } from './schema-parts.ts';
import { pageQuery } from './schemas.ts';

const time = z.iso
  .datetime({ offset: true, error: 'Write it as ISO 8601 with a zone.' })
  .transform((text) => Date.parse(text));

export const auditQuery = pageQuery.extend({
  from: time.optional().describe('At or after; ISO 8601 with zone'),
  to: time.optional().describe('At or before; ISO 8601 with zone'),
  actor: z.string().max(200).optional().describe('Id of an API key, or `system`'),
  action: z.enum(AUDIT_ACTIONS).optional(),
  target: z.string().max(500).optional().describe('Id of what was acted on'),
  result: z.enum(AUDIT_RESULTS).optional(),
  format: z
    .enum(['json', 'csv', 'ndjson'])
    .default('json')
    .describe('csv and ndjson answer all that matches, without pages'),
});

const state = z.record(z.string(), z.unknown()).nullable();

export const auditEntry = named(
  'AuditEntry',
  z.object({
    id: z.string(),
    at: moment,
    actor: z.string(),
    actorName: z.string(),
    address: z.string().nullable(),
    action: z.string(),
    target: z.string(),
    reason: z.string().nullable(),
    before: state.describe('Of both states only what differs'),
    after: state,
    result: z.enum(AUDIT_RESULTS),
    code: z.string().nullable().describe('Why it was not done'),
  }),
);
