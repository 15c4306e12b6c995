import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET = /^pg_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** A new API key in the form `pg_<id>_<43 characters of base64url>`: 256 random bits after the id, which is new unless given. */
export function buildKeySecret(id = randomBytes(6).toString('hex')): { readonly id: string; readonly secret: string } {
  return { id, secret: `pg_${id}_${randomBytes(32).toString('base64url')}` };
}

/** The id in an API key, or null when the text does not have the form of one. */
export function parseKeyId(secret: string): string | null {
  return SECRET.exec(secret)?.[1] ?? null;
}

/**
 * SHA-256 of the whole API key. A slow hash protects what people choose; 256 random bits cannot be guessed, so a fast one is right, and
 * every request is verified.
 */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Compares two hashes in constant time. */
export function sameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
