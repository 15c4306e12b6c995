import { z } from 'zod';

const KEY_BYTES = 32;
const MIN_DISTINCT = 12;

/** `PINEGATE_SECRET_KEY` in an environment: 32 random bytes in base64, as a Buffer. No message holds the value. */
export const secretKeySchema = z.string().transform((text, context) => {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!canonical || bytes.length !== KEY_BYTES) {
    context.addIssue(`must be ${KEY_BYTES} bytes in base64: make one with \`openssl rand -base64 ${KEY_BYTES}\`.`);
    return z.NEVER;
  }
  // Random bytes have some 30 different values in 32; a typed or repeated key has few.
  if (new Set(bytes).size < MIN_DISTINCT) {
    context.addIssue(`is too regular to be random: make one with \`openssl rand -base64 ${KEY_BYTES}\`.`);
    return z.NEVER;
  }
  return bytes;
});
