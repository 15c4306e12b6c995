import type { Redis } from '@pinegate/runtime';
import type { ApiClient } from './api-client.ts';
import type { Action } from './plan.ts';
import { type StormRecord, tally } from './record.ts';
import { ACCOUNTS, DEADLINE_MS, freshCookies } from './stage.ts';
import type { StormStack, Victim } from './storm-stack.ts';

export type Sandbox = (method: string, path: string, body?: unknown) => Promise<unknown>;

export interface Chaos {
  run(action: Action): Promise<void>;
  /** Ends every fault: all processes run, the upstream is well, the sessions are alive. */
  calm(): Promise<void>;
}

const LANES = ['grant', 'revoke', 'grant-bulk', 'revoke-bulk'];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills, freezes, empties and spoils, as planned. */
export function createChaos(parts: {
  readonly stack: StormStack;
  readonly redis: Redis;
  readonly api: ApiClient;
  readonly sandbox: Sandbox;
  readonly record: StormRecord;
}): Chaos {
  const { stack, redis, api, sandbox, record } = parts;
  const { counts } = record;

  async function kill(victim: Victim, forMs: number, name: string): Promise<void> {
    tally(counts, `kill -9 of ${name}`);
    await victim.kill();
    await pause(forMs);
    await victim.revive();
  }

  async function freeze(victim: Pick<Victim, 'freeze' | 'thaw'>, forMs: number, name: string): Promise<void> {
    tally(counts, `freezes of ${name}`);
    const from = Date.now();
    victim.freeze();
    await pause(forMs);
    victim.thaw();
    // What it had in hand when it stood still it may send after.
    if (name === 'workers') record.frozen.push({ from, to: Date.now() + 2 * DEADLINE_MS });
  }

  // On a busy machine the one before may still be starting: then it is left alone.
  let redisRuns = true;
  async function killRedis(forMs: number): Promise<void> {
    if (!redisRuns) return;
    tally(counts, 'kill -9 of Redis');
    redisRuns = false;
    await stack.redis.kill();
    await pause(forMs);
    await stack.redis.start();
    redisRuns = true;
  }

  async function freezeRedis(forMs: number): Promise<void> {
    if (!redisRuns) return;
    redisRuns = false;
    await freeze(stack.redis, forMs, 'Redis');
    redisRuns = true;
  }

  // The wait list of a lane is its bells that nobody has heard.
  async function loseBells(account: string): Promise<void> {
    for (const lane of LANES) {
      const wait = `{pinegate:${account}}:${lane}:wait`;
      const [[, bells]] = (await redis.multi().llen(wait).del(wait).exec()) as [[null, number]];
      tally(counts, 'bells lost', bells);
    }
    tally(counts, 'times bells were lost');
  }

  async function emptyQueues(account: string): Promise<void> {
    for (const lane of LANES) {
      const keys = await redis.keys(`{pinegate:${account}}:${lane}:*`);
      tally(counts, 'bells lost', await redis.llen(`{pinegate:${account}}:${lane}:wait`));
      if (keys.length > 0) await redis.del(...keys);
    }
    tally(counts, 'queues emptied', LANES.length);
  }

  async function bring(account: string): Promise<void> {
    for (;;) {
      // New ones each time: the session may have been ended again meanwhile.
      const cookies = freshCookies(account);
      const { accounts } = (await sandbox('GET', '/__sandbox/accounts')) as {
        accounts: { id: string; scripts: string[] }[];
      };
      const scripts = accounts.find(({ id }) => id === account)?.scripts ?? [];
      await sandbox('PUT', `/__sandbox/accounts/${account}`, { ...cookies, scripts });
      const answer = await api.call('PUT', `/v1/accounts/${account}/session`, { body: cookies });
      if (answer?.body?.state === 'active') return;
      await pause(300);
    }
  }

  // One after another: two who bring cookies at once would end each other's sessions.
  const bringing = new Map<string, Promise<void>>();
  function bringCookies(account: string): Promise<void> {
    const before = bringing.get(account) ?? Promise.resolve();
    const done = before.catch(() => {}).then(() => bring(account));
    bringing.set(account, done);
    return done;
  }

  async function endSession(account: string, form: string, forMs: number): Promise<void> {
    tally(counts, `sessions ended (${form})`);
    await sandbox('POST', `/__sandbox/accounts/${account}/session`, { alive: false, form });
    await pause(forMs);
    await bringCookies(account);
  }

  async function run(action: Action): Promise<void> {
    switch (action.kind) {
      case 'kill-worker':
        return kill(stack.workers[action.worker] as Victim, action.forMs, 'workers');
      case 'freeze-worker':
        return freeze(stack.workers[action.worker] as Victim, action.forMs, 'workers');
      case 'kill-api':
        return kill(stack.apis[action.api] as Victim, action.forMs, 'apis');
      case 'freeze-api':
        return freeze(stack.apis[action.api] as Victim, action.forMs, 'apis');
      case 'kill-redis':
        return killRedis(action.forMs);
      case 'freeze-redis':
        return freezeRedis(action.forMs);
      case 'empty-queues':
        return emptyQueues(action.account);
      case 'lose-bells':
        return loseBells(action.account);
      case 'upstream':
        await sandbox('POST', '/__sandbox/configure', action.options);
        return;
      case 'end-session':
        return endSession(action.account, action.form, action.forMs);
    }
  }

  return {
    run,
    async calm() {
      const well = { faults: {}, latency: { fixed: 0 } };
      await sandbox('POST', '/__sandbox/configure', well);
      await Promise.all([...stack.workers, ...stack.apis].map((victim) => victim.revive()));
      for (const { id } of ACCOUNTS) await bringCookies(id);
    },
  };
}
