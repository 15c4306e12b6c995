import { z } from 'zod';
import { DEAD_SESSION_FORMS, ENDPOINTS, FAULTS } from './options.ts';

export const pineIdSchema = z.string().regex(/^PUB;[0-9a-f]{32}$/, 'a pine id is PUB; and 32 lower-case hex digits');
export const accountIdSchema = z.string().regex(/^[a-z0-9-]{1,32}$/);
const username = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);
const cookie = z.string().regex(/^[^\s;,"\\]+$/, 'not a cookie value');

export const accountSchema = z.strictObject({
  sessionid: cookie,
  sessionidSign: cookie.nullable().optional(),
  scripts: z.array(pineIdSchema).optional(),
  login: z
    .strictObject({ username, password: z.string().min(1) })
    .nullable()
    .optional(),
});

export const sessionSchema = z.strictObject({ alive: z.boolean(), form: z.enum(DEAD_SESSION_FORMS).optional() });

export const usersSchema = z.strictObject({
  registered: z.array(username).optional(),
  missing: z.array(username).optional(),
});

const member = z.strictObject({ username, expiration: z.string().nullable() });

export const membersSchema = z.strictObject({ pine_id: pineIdSchema, members: z.array(member) });

export const plannedFaultSchema = z.strictObject({
  fault: z.enum(FAULTS),
  endpoint: z.enum(ENDPOINTS).optional(),
  username: username.optional(),
  count: z.int().min(1).optional(),
});

export const writesQuerySchema = z.strictObject({
  pine_id: z.string().optional(),
  username: z.string().optional(),
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  /** Milliseconds to wait for an entry where there is none yet. */
  wait: z.coerce.number().int().min(0).max(60_000).optional(),
});

/** What `SANDBOX_SETUP_FILE` holds. */
export const setupSchema = z.strictObject({
  options: z.record(z.string(), z.unknown()).optional(),
  accounts: z.record(accountIdSchema, accountSchema).optional(),
  users: z.array(username).optional(),
  missingUsers: z.array(username).optional(),
  members: z.record(pineIdSchema, z.array(member)).optional(),
});
