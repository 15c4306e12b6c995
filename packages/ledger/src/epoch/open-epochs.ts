import { randomUUID } from 'node:crypto';
import { createScripts, type Redis } from '@pinegate/runtime';
import { directoryNames } from '../directory/directory-names.ts';
import { buildDirectoryScripts } from '../directory/directory-scripts.ts';
import type { AccountEpoch, DirectoryEpoch } from './epoch-record.ts';

const LUA = new URL('./lua/', import.meta.url);
const REFRESHED = 'refreshed:';

/** The epochs of one namespace: what tells an emptied or restored Redis, or one hash tag of it, from the one before. */
export interface Epochs {
  /** null: the directory carries none. */
  read(): Promise<DirectoryEpoch | null>;
  /** Reads it; where there is none, begins one. Accounts that are there without an epoch are paused (`redis_restored`). */
  begin(): Promise<DirectoryEpoch>;
  /**
   * Begins a new epoch and pauses every account with the reason `redis_restored`, in one call. @param wrong only if this is the
   * epoch that is there; null = in any case.
   */
  renew(wrong: string | null): Promise<DirectoryEpoch>;
  /** Moves the beat of the directory (`null`) or of an account on. Answers the beat before, or null where another epoch, or none, is there. */
  beat(account: string | null, epoch: string, at: number): Promise<number | null>;
  /** null: the account's tag is empty. */
  readAccount(account: string): Promise<AccountEpoch | null>;
  /** Makes the tag part of an epoch. @param since what was known before is not believed, Redis TIME, ms; null = now. */
  stamp(account: string, epoch: Pick<DirectoryEpoch, 'id' | 'now'>, since: number | null): Promise<void>;
  /** Makes the tag fit no epoch until it is stamped again. */
  spoil(account: string): Promise<void>;
}

/** Opens them over the caller's connection. No I/O happens before the first call. @param options.now stands in for Redis TIME. */
export function openEpochs({
  redis,
  ns,
  now,
}: {
  readonly redis: Redis;
  readonly ns: string;
  readonly now?: (() => number) | undefined;
}): Epochs {
  const names = directoryNames(ns);
  const directory = buildDirectoryScripts(redis, now);
  const scripts = createScripts(LUA);
  const keys = [names.epoch, names.accounts, names.revision];
  const accountKey = (account: string) => `{${ns}:${account}}:epoch`;
  const run = (script: string, key: string, args: readonly (string | number)[]) =>
    scripts.run(redis, script, [key], args);

  return {
    async read() {
      const reply = (await directory.run('epoch-read', [names.epoch], [])) as Reply | null;
      return reply ? directoryEpoch(reply) : null;
    },
    async begin() {
      return directoryEpoch((await directory.run('epoch-begin', keys, [randomUUID(), names.account('')])) as Reply);
    },
    async renew(wrong) {
      const args = [wrong ?? '', randomUUID(), names.account('')];
      return directoryEpoch((await directory.run('epoch-renew', keys, args)) as Reply);
    },
    async beat(account, epoch, at) {
      const key = account === null ? names.epoch : accountKey(account);
      const [fits, before] = (await run('beat', key, [epoch, at])) as [number, string?];
      return fits === 1 ? Number(before) : null;
    },
    async readAccount(account) {
      const fields = await redis.hgetall(accountKey(account));
      return fields.id === undefined ? null : accountEpoch(fields);
    },
    async stamp(account, { id, now: at }, since) {
      await run('stamp', accountKey(account), [id, at, since ?? '']);
    },
    async spoil(account) {
      await run('spoil', accountKey(account), []);
    },
  };
}

type Reply = readonly (string | null)[];

function directoryEpoch([id, made, beat, from, to, now]: Reply): DirectoryEpoch {
  return {
    id: id ?? '',
    madeAt: Number(made),
    beat: Number(beat),
    gap: { from: Number(from), to: Number(to) },
    now: Number(now),
  };
}

function accountEpoch(fields: Readonly<Record<string, string>>): AccountEpoch {
  const refreshed = new Map<number, { epoch: string; since: number }>();
  for (const [field, value] of Object.entries(fields)) {
    if (!field.startsWith(REFRESHED)) continue;
    const [epoch = '', since] = value.split(' ');
    refreshed.set(Number(field.slice(REFRESHED.length)), { epoch, since: Number(since) });
  }
  const { id = '', beat = 0, 'gap-from': from = 0, 'gap-to': to = 0 } = fields;
  return { id, beat: Number(beat), gap: { from: Number(from), to: Number(to) }, refreshed };
}
