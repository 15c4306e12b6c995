import { z } from 'zod';
import { moment, named } from './schema-parts.ts';
import { reason } from './schemas.ts';

const RATE = z.number().positive().max(1_000_000);
const budgetInput = (start: number) =>
  z
    .strictObject({
      start: RATE.nullable().default(start).describe('Requests a second to begin with; null = unlimited'),
      min: RATE.default(0.5),
      max: RATE.default(1_000),
      adaptive: z.boolean().default(true).describe('false stays at start'),
    })
    .refine(({ min, max }) => min <= max, { error: 'min must not exceed max.', path: ['min'] })
    .refine(({ start: from, min, max }) => from === null || (from >= min && from <= max), {
      error: 'start must lie between min and max.',
      path: ['start'],
    });

const defaultBudget = (start: number) => ({ start, min: 0.5, max: 1_000, adaptive: true });

export const accountBody = named(
  'AccountConfig',
  z.strictObject({
    scripts: z
      .array(z.string().regex(/^PUB;[0-9a-f]{32}$/, 'A script is "PUB;" and 32 lower-case hex digits.'))
      .max(1_000)
      .refine((scripts) => new Set(scripts).size === scripts.length, { error: 'A script is there twice.' }),
    budgets: z
      .strictObject({
        grant: budgetInput(5).default(defaultBudget(5)),
        revoke: budgetInput(4).default(defaultBudget(4)),
        list: budgetInput(5).default(defaultBudget(5)),
        lookup: budgetInput(20).default(defaultBudget(20)),
      })
      .default({
        grant: defaultBudget(5),
        revoke: defaultBudget(4),
        list: defaultBudget(5),
        lookup: defaultBudget(20),
      }),
    maxInFlight: z.number().int().min(1).max(10_000).default(24),
    sharedBudget: z
      .boolean()
      .default(false)
      .describe('Revokes spend the budget of the grants, and `budgets.revoke` is idle'),
    reason,
  }),
);

const budgetAnswer = z.object({
  start: z.number().nullable(),
  min: z.number(),
  max: z.number(),
  adaptive: z.boolean(),
  rate: z.number().nullable().describe('What is used now, requests a second; null = unlimited'),
});

export const account = named(
  'Account',
  z.object({
    id: z.string(),
    state: z.enum(['active', 'parked', 'paused']),
    reason: z.string().nullable(),
    scripts: z.array(z.string()),
    budgets: z.object({ grant: budgetAnswer, revoke: budgetAnswer, list: budgetAnswer, lookup: budgetAnswer }),
    maxInFlight: z.number().int(),
    sharedBudget: z.boolean(),
    pending: z.number().int().describe('Operations'),
    inFlight: z.number().int().describe('Requests'),
    session: z.object({ state: z.enum(['ok', 'dead', 'unknown']), checkedAt: moment.nullable() }),
  }),
);

export const resumeBody = named(
  'Resume',
  z
    .strictObject({
      acknowledgeRestore: z
        .boolean()
        .optional()
        .describe('Goes on after a restore of Redis without a refresh: what was known before is not believed'),
      reason,
    })
    .nullish(),
);

const cookie = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/, 'It has characters that a cookie cannot hold.');

export const sessionBody = named(
  'Session',
  z
    .strictObject({ sessionid: cookie, sessionidSign: cookie.nullable().optional(), reason })
    .describe('Cookies of a login'),
);
