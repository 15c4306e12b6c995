import { OUTCOMES } from '@pinegate/access';
import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from './problem-codes.ts';
import { moment, named } from './schema-parts.ts';

const id = (what: string) => z.string().min(1).max(200).describe(what);

// Whatever was pasted: cleaning decides.
const anyName = z.string();

export const scriptParams = z.strictObject({ script: id('Pine id, percent-encoded: PUB%3B and 32 hex digits') });
export const accessParams = scriptParams.extend({
  username: anyName.describe('Username, @username or a profile address, percent-encoded'),
});
export const batchParams = z.strictObject({ batch: id('Batch id') });
export const operationParams = z.strictObject({ operation: id('Operation id') });
export const usernameParams = z.strictObject({
  username: anyName.describe('Username, @username or a profile address'),
});
export const keyParams = z.strictObject({ key: id('Id of the API key') });
export const accountParams = z.strictObject({
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'An account id has 1 to 32 of the characters a-z, 0-9 and -.')
    .describe('Account id'),
});

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(1_000).optional().describe('`next` of the page before'),
});

/** Routes that take no body accept none or an empty object. */
export const noBody = z.strictObject({}).nullish();

/** Why an operator does it, in his own words: kept in the audit. */
export const reason = z.string().trim().min(1).max(500).optional().describe('Why; kept in the audit');

/** The body of an operator's action that takes nothing else. */
export const reasonBody = z.strictObject({ reason }).nullish();

/** A DELETE may say it in its query: some clients send no body with it. */
export const reasonQuery = z.strictObject({ reason });

const expiryFields = {
  expiresAt: z
    .union([z.string(), z.null()])
    .optional()
    .describe('ISO 8601 with zone, in the future; null = lifetime')
    .meta({ examples: ['2030-01-01T00:00:00Z'] }),
  duration: z.string().optional().describe('1 to 9999 and Y, M, W or D, from now on; 1L = lifetime'),
  extendBy: z.string().optional().describe('1 to 9999 and Y, M, W or D, from the current expiry on'),
};

export const grantBody = named(
  'Grant',
  z.strictObject(expiryFields).describe('Exactly one of the three. `extendBy` needs an Idempotency-Key.'),
);

/** The documented form of one operation; what is sent is read row by row, so that one bad row does not spoil the rest. */
const operation = z
  .object({ action: z.enum(['grant', 'revoke']), script: z.string(), username: z.string(), ...expiryFields })
  .meta({ id: 'Operation' });

export const batchBody = z
  .union([
    z.strictObject({ operations: z.array(z.unknown()) }),
    z.strictObject({
      action: z.unknown(),
      scripts: z.array(z.unknown()),
      usernames: z.array(z.unknown()),
      expiresAt: z.unknown().optional(),
      duration: z.unknown().optional(),
      extendBy: z.unknown().optional(),
    }),
  ])
  .describe('A list of operations, or one operation for all pairs, script by script.');

export const documentedBatchBody = z.union([
  z.strictObject({ operations: z.array(operation) }),
  z.strictObject({
    action: z.enum(['grant', 'revoke']),
    scripts: z.array(z.string()),
    usernames: z.array(z.string()),
    ...expiryFields,
  }),
]);

const state = z.object({
  state: z.enum(['granted', 'none', 'unknown']),
  expiresAt: moment.nullable().describe('null = lifetime where granted'),
});

export const access = named(
  'Access',
  z.object({
    script: z.string(),
    username: z.string().describe('In the best-known spelling'),
    status: z.enum(['pending', 'settled', 'failed']),
    version: z.number().int(),
    desired: state.nullable().describe('null while it depends on a state not read yet'),
    applied: state.extend({ at: moment.nullable(), outcome: z.enum(OUTCOMES).nullable() }),
    operation: z.string().optional().describe('Id of the operation that this request made'),
  }),
);

export const historyEntry = named(
  'HistoryEntry',
  z.object({
    at: moment.describe('When it ended'),
    version: z.number().int(),
    action: z.enum(['grant', 'revoke']),
    expiresAt: moment.nullable().optional().describe('What was asked for; null = lifetime'),
    duration: z.string().optional(),
    extendBy: z.string().optional(),
    outcome: z.enum(OUTCOMES),
    error: z.string().nullable(),
    source: z.string().describe('Id of the API key it came with'),
    operation: z.string().nullable().describe('Id of a single operation'),
    batch: z.string().nullable().describe('Id of the batch it came in'),
  }),
);

export const operationAnswer = named(
  'OperationState',
  z.object({
    id: z.string(),
    script: z.string().nullable().describe('null when no account has it any more'),
    username: z.string(),
    version: z.number().int(),
    status: z.enum(['pending', 'settled']),
    outcome: z.enum(OUTCOMES).nullable(),
    error: z.string().nullable(),
    acceptedAt: moment,
    settledAt: moment.nullable(),
  }),
);

const rejection = named(
  'Rejection',
  z.object({ row: z.number().int().describe('From 1'), code: z.string(), detail: z.string() }),
);

export const batchAccepted = named(
  'BatchAccepted',
  z.object({
    id: z.string(),
    rows: z.number().int(),
    accepted: z.number().int(),
    rejected: z.number().int(),
    rejections: z.array(rejection).describe('The first 100'),
  }),
);

export const BATCH_STATES = ['receiving', 'interrupted', 'running', 'done', 'cancelled'] as const;

export const batch = named(
  'Batch',
  z.object({
    id: z.string(),
    state: z.enum(BATCH_STATES),
    rows: z.number().int().describe('Rows received'),
    rejected: z.number().int(),
    total: z.number().int().describe('Operations accepted'),
    pending: z.number().int(),
    outcomes: z.record(z.enum(OUTCOMES), z.number().int()).describe('pending + their sum = total, at every moment'),
    ratePerSecond: z.number(),
    etaSeconds: z.number().int().nullable().describe('null while nothing settles'),
    createdAt: moment,
  }),
);

export const failure = named(
  'Failure',
  z.object({
    script: z.string().nullable(),
    username: z.string(),
    version: z.number().int(),
    outcome: z.enum(['rejected', 'failed']),
    code: z.string(),
    at: moment,
  }),
);

export const script = named('Script', z.object({ script: z.string(), account: z.string() }));

export const username = named(
  'Username',
  z.object({
    username: z.string().describe('Canonical where known'),
    exists: z.boolean().nullable().describe('null = not known in time'),
    cached: z.boolean(),
    checkedAt: moment.nullable(),
  }),
);

export const usernamesBody = named(
  'Usernames',
  z.strictObject({ usernames: z.array(z.string().max(2_048)).min(1).max(1_000) }),
);

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe('Cursor of the next page') });
}

export const problem = named(
  'Problem',
  z
    .looseObject({
      type: z.string(),
      title: z.string(),
      status: z.number().int(),
      code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
      detail: z.string(),
    })
    .describe('RFC 9457'),
);
