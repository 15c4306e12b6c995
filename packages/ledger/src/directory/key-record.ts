import type { ApiKey, Scope } from '../directory-types.ts';
import { sameHash } from './key-secret.ts';

/** An API key as it is stored: hashes of its secrets, never themselves. */
export interface KeyRecord {
  readonly key: ApiKey;
  readonly hash: Buffer;
  /** The secret before the last rotation, while it still opens. */
  readonly previous: { readonly hash: Buffer; readonly until: number } | null;
}

interface Stored {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly hash: string;
  // Absent in records of before they were known.
  readonly expiresAt?: number | null;
  readonly ratePerSecond?: number | null;
  readonly previous?: { readonly hash: string; readonly until: number } | null;
}

/** The text that is stored under a key's id. */
export function formatKey({ key, hash, previous }: KeyRecord): string {
  const { id: _id, ...settings } = key;
  const stored: Stored = {
    ...settings,
    hash: hash.toString('base64url'),
    previous: previous && { hash: previous.hash.toString('base64url'), until: previous.until },
  };
  return JSON.stringify(stored);
}

export function parseKey(id: string, text: string): KeyRecord {
  const stored = JSON.parse(text) as Stored;
  const { name, scopes, createdAt, hash, expiresAt = null, ratePerSecond = null, previous } = stored;
  return {
    key: { id, name, scopes, createdAt, expiresAt, ratePerSecond },
    hash: Buffer.from(hash, 'base64url'),
    previous: previous ? { hash: Buffer.from(previous.hash, 'base64url'), until: previous.until } : null,
  };
}

/** Whether a secret of this hash opens the key at a time, ms. */
export function opens({ key, hash, previous }: KeyRecord, given: Buffer, now: number): boolean {
  if (key.expiresAt !== null && now >= key.expiresAt) return false;
  return sameHash(given, hash) || (previous !== null && now < previous.until && sameHash(given, previous.hash));
}
