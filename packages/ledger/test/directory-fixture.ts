import { randomBytes } from 'node:crypto';
import type { Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { vi } from 'vitest';
import { type AccountConfig, type Directory, type DirectoryOptions, openDirectory } from '../src/index.ts';

export const RETENTION_MS = 604_800_000;
export const SECRET_KEY = randomBytes(32);
export const ADMIN_KEY = 'an-admin-key-of-the-environment';

const BUDGET = { start: 5, min: 0.5, max: 1000, adaptive: true };

/** A directory in a namespace of its own, whose time moves only when the test says so. */
export interface TestDirectory {
  readonly directory: Directory;
  readonly ns: string;
  /** ms since 1970. */
  readonly time: { now: number };
  /** Another process's view of the same directory. */
  readonly another: (options?: Partial<DirectoryOptions>) => Directory;
}

export function openTestDirectory(redis: Redis): TestDirectory {
  const ns = randomNamespace();
  const time = { now: Date.UTC(2026, 0, 31, 12) };
  const another = (options: Partial<DirectoryOptions> = {}) =>
    openDirectory({
      redis,
      ns,
      secretKey: SECRET_KEY,
      adminKey: ADMIN_KEY,
      retentionMs: RETENTION_MS,
      now: () => time.now,
      ...options,
    });
  return { directory: another(), ns, time, another };
}

export function config(...scripts: string[]): AccountConfig {
  return {
    scripts,
    budgets: { grant: BUDGET, revoke: BUDGET, list: { ...BUDGET, start: null }, lookup: BUDGET },
    maxInFlight: 24,
  };
}

/** A pine id of its own for each number. */
export function script(n: number): string {
  return `PUB;${n.toString(16).padStart(32, '0')}`;
}

/** An account that runs: its cookies are posted and checked. */
export async function activate(directory: Directory, id: string, ...scripts: string[]): Promise<number> {
  await directory.accounts.put(id, config(...scripts));
  const posted = await directory.sessions.put(id, { sessionid: 'cookie', sessionidSign: null });
  const postedAt = posted?.session.postedAt ?? 0;
  await directory.accounts.setSession(id, 'ok', postedAt);
  return postedAt;
}

/** How many commands `work` sent. */
export async function commandsOf(redis: Redis, work: () => Promise<unknown>): Promise<number> {
  const sent = vi.spyOn(redis, 'sendCommand');
  try {
    await work();
    return sent.mock.calls.length;
  } finally {
    sent.mockRestore();
  }
}

/** Everything that is stored under keys that hold `ns`, in one text. */
export async function dump(redis: Redis, ns: string): Promise<string> {
  const texts: string[] = [];
  for await (const keys of redis.scanStream({ match: `*${ns}*`, count: 1000 })) {
    for (const key of keys as string[]) texts.push(key, JSON.stringify(await read(redis, key)));
  }
  return texts.join('\n');
}

async function read(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, 0, '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'list':
      return redis.lrange(key, 0, -1);
    default:
      throw new Error(`${key} has a type that this test does not read`);
  }
}
