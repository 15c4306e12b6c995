import { z } from 'zod';
import { DEFAULT_RATE } from './limit-requests.ts';
import { moment, named } from './schema-parts.ts';
import { reason } from './schemas.ts';

const SCOPES = ['read', 'write', 'admin'] as const;
const LONGEST_OVERLAP_S = 30 * 86_400;

const future = z.iso
  .datetime({ offset: true, error: 'Write it as ISO 8601 with a zone.' })
  .transform((text) => Date.parse(text))
  .refine((at) => at > Date.now(), { error: 'It lies in the past.' });

export const keyBody = named(
  'KeyRequest',
  z.strictObject({
    name: z.string().trim().min(1).max(100),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .max(10)
      .transform((scopes) => [...new Set(scopes)]),
    expiresAt: future.nullable().default(null).describe('When it ends by itself, ISO 8601 with zone; null = never'),
    ratePerSecond: z.number().int().min(1).max(1_000_000).nullable().default(null).describe(`null = ${DEFAULT_RATE}`),
    reason,
  }),
);

const createdFields = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: moment,
  expiresAt: moment.nullable(),
  ratePerSecond: z.number().int().nullable(),
});

const overlapUntil = moment.nullable().describe('Until when the secret before the last rotation works');

export const apiKey = named(
  'Key',
  createdFields.extend({ lastUsedAt: moment.nullable().describe('To the minute'), overlapUntil }),
);

const secret = z.string().nullable().describe('Shown this once; null when the request is repeated');

export const createdKey = named('CreatedKey', createdFields.extend({ key: secret }));

export const rotatedKey = named('RotatedKey', createdFields.extend({ overlapUntil, key: secret }));

export const rotateBody = named(
  'KeyRotation',
  z
    .strictObject({
      overlapSeconds: z.number().int().min(0).max(LONGEST_OVERLAP_S).optional().describe('A day unless said'),
      reason,
    })
    .nullish(),
);
