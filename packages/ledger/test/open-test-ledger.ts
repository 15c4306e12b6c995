import type { AccessState, Duration, Operation } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { expect } from 'vitest';
import {
  type AccessRecord,
  type AccountLedger,
  type Claimed,
  openLedger,
  type PartRecord,
  type Settlement,
  type SubmitResult,
} from '../src/index.ts';
import { CLOCK, START } from './simulated-clock.ts';

export const TIMES = { verifyDelayMs: 12_000, leaseMs: 6_000, freshMs: 240_000, retentionMs: 3_600_000, maxTries: 5 };
export const SCRIPT = 1;
export const PERMITS = { grant: 50, revoke: 50, list: 50 };

export const NONE: AccessState = { state: 'none' };
export const LIFE: AccessState = { state: 'granted', expiresAt: null };
export const until = (expiresAt: number): AccessState => ({ state: 'granted', expiresAt });

export const grant = (username: string, expiresAt: number): Operation => ({
  action: 'grant',
  script: 'PUB;0',
  username,
  until: { kind: 'date', expiresAt },
});
export const life = (username: string): Operation => ({
  action: 'grant',
  script: 'PUB;0',
  username,
  until: { kind: 'lifetime' },
});
export const revoke = (username: string): Operation => ({ action: 'revoke', script: 'PUB;0', username });
export const extend = (username: string, amount: number, unit: Duration['unit'] = 'D'): Operation => ({
  action: 'grant',
  script: 'PUB;0',
  username,
  until: { kind: 'extend', duration: { amount, unit } },
});

type Work = Extract<Claimed, { need: 'write' | 'base' | 'final' | 'verify' }>;

/** An account of its own on a real Redis whose time only moves when the test says so, and the verbs that scenarios are told in. */
export interface TestLedger {
  readonly ledger: AccountLedger;
  readonly redis: Redis;
  /** First part of every key, with its colon. */
  readonly tag: string;
  readonly now: () => number;
  /** Moves the clock on by so many ms. */
  readonly pass: (ms: number) => Promise<void>;
  /** Submits rows of one batch, numbered from 1 over its calls; batches are named by the test. */
  readonly submit: (batch: string, ...operations: Operation[]) => Promise<Extract<SubmitResult, { status: 'taken' }>>;
  /** Claims one key and expects what it needs. */
  readonly claim: <N extends Claimed['need']>(name: string, token: string, need: N) => Promise<Claimed & { need: N }>;
  /** A claim that goes on to a write, with the base read and fixed if need be. */
  readonly arm: (name: string, token: string, read?: AccessState) => Promise<Work>;
  readonly settle: (
    name: string,
    token: string,
    work: { version: number },
    what: Partial<Settlement> & Pick<Settlement, 'result'>,
  ) => Promise<string>;
  readonly record: (name: string) => Promise<AccessRecord>;
  readonly part: (batch: string) => Promise<PartRecord>;
  readonly cancel: (batch: string) => Promise<void>;
  /** I8: pending of every part = its contributors in all chains, and pending + outcomes = total. */
  readonly expectCountsToAgree: () => Promise<void>;
}

export async function openTestLedger(
  redis: Redis,
  replace: Readonly<Record<string, string>> = {},
): Promise<TestLedger> {
  const ns = randomNamespace();
  const tag = `{${ns}:a}:`;
  const ledger = openLedger({ redis, ns, times: TIMES, replace: { clock: CLOCK, ...replace } }).account('a');
  const rows = new Map<string, number>();
  const names = new Set<string>();
  let time = START;
  await redis.set(`${tag}clock`, time);

  const record = async (name: string) => {
    const [found] = await ledger.readAccess(SCRIPT, [name]);
    if (!found) throw new Error(`no record of ${name}`);
    return found;
  };
  const part = async (batch: string) => {
    const [found] = await ledger.readParts([batch]);
    if (!found) throw new Error(`no part ${batch}`);
    return found;
  };
  const claim: TestLedger['claim'] = async (name, token, need) => {
    const { keys } = await ledger.claim(SCRIPT, [name], token, PERMITS);
    expect(keys[0]?.need, `claim of ${name} by ${token}`).toBe(need);
    return keys[0] as never;
  };

  return {
    ledger,
    redis,
    tag,
    now: () => time,
    async pass(ms) {
      time += ms;
      await redis.set(`${tag}clock`, time);
    },
    async submit(batch, ...operations) {
      const after = rows.get(batch) ?? 0;
      rows.set(batch, after + operations.length);
      for (const o of operations) names.add(o.username.toLowerCase());
      const given = operations.map((operation, i) => ({ row: after + i + 1, script: SCRIPT, operation }));
      const answer = await ledger.submit(batchRef(batch), after, given);
      expect(answer.status).toBe('taken');
      return answer as Extract<SubmitResult, { status: 'taken' }>;
    },
    claim,
    async arm(name, token, read = NONE) {
      const { keys } = await ledger.claim(SCRIPT, [name], token, PERMITS);
      let work = keys[0] as Work;
      if (work.need === 'base') {
        work = (await ledger.fix(SCRIPT, name, token, work.version, read, time)) as Work;
      }
      expect(work.need, `claim of ${name} by ${token}`).toBe('write');
      return work;
    },
    async settle(name, token, work, what) {
      const common = { script: SCRIPT, name, token, carried: work.version, sent: true };
      const rest = { target: NONE, outcome: 'granted', code: 'timeout', retryMs: 1_000, spend: true };
      const [answer] = await ledger.settle([{ ...common, ...rest, ...what } as Settlement]);
      return answer?.need ?? 'none';
    },
    record,
    part,
    async cancel(batch) {
      expect(await ledger.cancel(batch)).toBe(true);
      while ((await ledger.cancelSome()).left > 0);
    },
    async expectCountsToAgree() {
      const records = await ledger.readAccess(SCRIPT, [...names]);
      const chained = new Map<number, number>();
      for (const c of records.flatMap((r) => r?.chain ?? [])) chained.set(c.part, (chained.get(c.part) ?? 0) + 1);
      for (const p of await ledger.readParts([...rows.keys()])) {
        if (!p) continue;
        const ended = Object.values(p.outcomes).reduce((a, b) => a + b, 0);
        expect(p.pending, `pending of ${p.id}`).toBe(chained.get(p.number) ?? 0);
        expect(p.pending + ended, `total of ${p.id}`).toBe(p.total);
      }
    },
  };
}

export const batchRef = (id: string) => ({ id, kind: 'batch', lane: 'bulk', turn: id, source: 'key' }) as const;
