import { randomUUID } from 'node:crypto';
import { OpenFeature } from '@openfeature/server-sdk';
import { type Redis, startRounds } from '@pinegate/runtime';
import { FLAG_DEFAULTS, FLAG_NAMES, type FlagValues } from './flag-names.ts';
import { buildRedisProvider } from './redis-provider.ts';

const EVERY_MS = 2_000;

/** Feature flags: changed in one process, seen by all of them within 5 s. */
export interface Flags {
  /** As last seen here; the defaults until Redis has answered. */
  readonly values: FlagValues;
  /** Calls back after each change seen here. */
  onChange(listener: (values: FlagValues) => void): void;
  /** Reads them now. Errors: those of Redis. */
  read(): Promise<FlagValues>;
  /** Changes those given, and answers all. Errors: those of Redis. */
  put(change: Partial<FlagValues>): Promise<FlagValues>;
  close(): Promise<void>;
}

/** How to open the flags. */
export interface FlagsOptions {
  /** The caller's to close. */
  readonly redis: Redis;
  /** First part of the key `{<ns>}:flags`. */
  readonly ns: string;
  /** How often they are read, ms; 2 s. */
  readonly everyMs?: number;
}

/** Opens the flags and begins to follow them. Redis may come later: what was seen last stands until then. */
export function openFlags({ redis, ns, everyMs = EVERY_MS }: FlagsOptions): Flags {
  const key = `{${ns}}:flags`;
  const provider = buildRedisProvider(redis, key);
  // A domain of its own: OpenFeature keeps its providers for the whole process.
  const domain = `pinegate-${randomUUID()}`;
  const ready = OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  const listeners: ((values: FlagValues) => void)[] = [];
  let values: FlagValues = FLAG_DEFAULTS;
  let reading: Promise<FlagValues> | undefined;

  async function load(): Promise<FlagValues> {
    await ready;
    await provider.load();
    const found = await Promise.all(FLAG_NAMES.map((name) => client.getBooleanValue(name, FLAG_DEFAULTS[name])));
    const next = Object.fromEntries(FLAG_NAMES.map((name, i) => [name, found[i]])) as unknown as FlagValues;
    const changed = FLAG_NAMES.some((name) => next[name] !== values[name]);
    values = next;
    if (changed) for (const listener of listeners) listener(values);
    return values;
  }

  // One after another: an answer that comes late must not undo a newer one.
  function read(): Promise<FlagValues> {
    const before = reading ?? Promise.resolve();
    const now = before.then(load, load);
    reading = now;
    return now;
  }

  // That Redis is away, its own client says.
  read().catch(() => {});
  const rounds = startRounds(everyMs, read);

  return {
    get values() {
      return values;
    },
    onChange: (listener) => void listeners.push(listener),
    read,
    async put(change) {
      const fields = Object.entries(change).flatMap(([name, on]) => [name, on ? '1' : '0']);
      if (fields.length > 0) await redis.hset(key, ...fields);
      return read();
    },
    async close() {
      void rounds.stop();
      // The reads of the rounds are among them.
      await reading?.catch(() => {});
    },
  };
}
