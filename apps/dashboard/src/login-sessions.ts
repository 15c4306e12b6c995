import { createHash, randomBytes } from 'node:crypto';
import type { ApiKey } from '@pinegate/ledger';
import type { Redis } from '@pinegate/runtime';

/** Who is logged in. */
export type Viewer = Pick<ApiKey, 'id' | 'name' | 'scopes'>;

/** Logins, kept in Redis and known by an opaque token. */
export interface LoginSessions {
  /** @returns the token for the cookie. */
  create(viewer: Viewer): Promise<string>;
  /** null when the token is unknown, expired or logged out. */
  read(token: string): Promise<Viewer | null>;
  remove(token: string): Promise<void>;
}

/** How long a login lasts. */
export const SESSION_SECONDS = 12 * 3_600;

const TOKEN_BYTES = 32;

export function buildLoginSessions(redis: Redis, ns: string): LoginSessions {
  // The hash only: who can read Redis must not thereby be logged in.
  const keyOf = (token: string) => `{${ns}}:login:${createHash('sha256').update(token).digest('base64url')}`;
  return {
    async create({ id, name, scopes }) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      await redis.set(keyOf(token), JSON.stringify({ id, name, scopes }), 'EX', SESSION_SECONDS);
      return token;
    },
    async read(token) {
      const stored = await redis.get(keyOf(token));
      return stored === null ? null : (JSON.parse(stored) as Viewer);
    },
    async remove(token) {
      await redis.del(keyOf(token));
    },
  };
}
