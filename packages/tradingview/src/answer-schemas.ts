import { z } from 'zod';
import { parseExpiration } from './form-body.ts';

/** One member of a script's list. `expiresAt`: ms since 1970 UTC, null = lifetime. */
export type Member = { readonly username: string; readonly expiresAt: number | null };

// A missing expiration is not read as a lifetime: only an explicit null is.
const expiresAt = z.union([
  z.null(),
  z
    .string()
    .transform(parseExpiration)
    .refine((at) => !Number.isNaN(at)),
]);

const member = z
  .object({ username: z.string().min(1), expiration: expiresAt })
  .transform((row): Member => ({ username: row.username, expiresAt: row.expiration }));

export const detailsAnswer = z.record(z.string(), z.unknown());
export const hintAnswer = z.array(z.object({ username: z.string().min(1) }));
export const listUsersAnswer = z.object({ results: z.array(member), next: z.string().nullish() });
export const listScriptsAnswer = z.array(z.string().min(1));
export const addAnswer = z.object({ status: z.enum(['ok', 'exists']) });
export const modifyAnswer = z.object({ status: z.literal('ok') });
export const removeAnswer = z.object({ status: z.enum(['ok', 'not_exists']) });

/** The part of an error's body that says what it is; every field may be absent. */
export const errorAnswer = z.looseObject({
  code: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
});
