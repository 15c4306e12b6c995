import { z } from 'zod';

/** The endpoints of the stand-in, by the name used in options, counters and planned faults. */
export const ENDPOINTS = [
  'tvcoins',
  'username_hint',
  'list_users',
  'add',
  'modify',
  'remove',
  'list_scripts',
  'signin',
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** The shapes a dead session shows itself in. */
export const DEAD_SESSION_FORMS = ['unauthorized', 'login_required', 'detail', 'redirect', 'html'] as const;
export type DeadSessionForm = (typeof DEAD_SESSION_FORMS)[number];

/** What can go wrong with one request; `before` and `after` refer to the effect on the member list. */
export const FAULTS = [
  'serverError',
  'serverErrorAfter',
  'resetBefore',
  'resetAfter',
  'hang',
  'hangAfter',
  'lateWrite',
  'cutLength',
  'cutClose',
  'drip',
  'challenge',
  'wrongType',
  'refuse',
  'storm',
] as const;
export type Fault = (typeof FAULTS)[number];

const milliseconds = z.number().min(0).max(86_400_000);
const positive = z.number().positive();

const latency = z.union([
  z.strictObject({ fixed: milliseconds }),
  z.strictObject({
    uniform: z.tuple([milliseconds, milliseconds]).refine(([low, high]) => low <= high, 'low must not exceed high'),
  }),
  z.strictObject({ lognormal: z.strictObject({ median: milliseconds, sigma: z.number().min(0).max(5) }) }),
]);
export type Latency = z.infer<typeof latency>;

const limit = z.strictObject({
  bucket: z.strictObject({ rate: positive, burst: z.int().min(1) }).optional(),
  perSecond: z.int().min(1).optional(),
  perMinute: z.int().min(1).optional(),
  concurrency: z.int().min(1).optional(),
});
/** Every part that is given must allow a request; rate is per second. */
export type Limit = z.infer<typeof limit>;

const faultRates = z
  .partialRecord(z.enum(FAULTS), z.number().min(0).max(1))
  .refine((rates) => Object.values(rates).reduce((sum, rate) => sum + rate, 0) <= 1 + 1e-9, 'rates add up to over 1');
export type FaultRates = z.infer<typeof faultRates>;

const pattern = z.string().refine((source) => {
  try {
    return Boolean(new RegExp(source, 'i'));
  } catch {
    return false;
  }
}, 'not a regular expression');

/** Every option with its default. A nested value (latency, a limit, fault rates) is replaced whole, never merged. */
export const optionsSchema = z.strictObject({
  modifyNonMember: z.enum(['422', 'ok']).default('422'),
  removeAbsent: z.enum(['not_exists', '422']).default('not_exists'),
  expiredListed: z.boolean().default(true),
  datedToLifetime: z.enum(['works', 'ignored']).default('works'),
  usernameFilter: z.enum(['prefix', 'substring']).default('prefix'),
  caseSensitive: z.boolean().default(true),
  openWorld: z.boolean().default(true),
  unknownPattern: pattern.default('^ghost'),
  hintDecoys: z.boolean().default(true),
  strictHeaders: z.boolean().default(true),
  deadSessionForm: z.enum(DEAD_SESSION_FORMS).default('login_required'),
  signin: z.enum(['ok', 'recaptcha_required', '2FA_required']).default('ok'),
  signinLockAfter: z.int().min(1).default(4),
  latency: latency.default({ fixed: 0 }),
  limitUnit: z.enum(['account', 'endpoint', 'address']).default('account'),
  limit: limit.nullable().default(null),
  limitByEndpoint: z.partialRecord(z.enum(ENDPOINTS), limit.nullable()).default({}),
  limitByAccount: z.record(z.string(), limit.nullable()).default({}),
  retryAfter: z.union([z.enum(['none', 'exact']), z.int().min(0)]).default('none'),
  faults: faultRates.default({}),
  faultsByEndpoint: z.partialRecord(z.enum(ENDPOINTS), faultRates).default({}),
  serverErrorStatuses: z
    .array(z.literal([500, 502, 503]))
    .min(1)
    .default([500, 502, 503]),
  dripMs: milliseconds.default(200),
  stormMs: milliseconds.default(2000),
  lateWriteMs: z.union([milliseconds, z.literal('held')]).default(1000),
  clockOffsetMs: z.number().default(0),
  writeLogSize: z.int().min(1).default(200_000),
});

export type Options = Readonly<z.infer<typeof optionsSchema>>;
/** Some of the options; what is left out keeps its value. */
export type OptionsPatch = z.input<typeof optionsSchema>;
