import { createBudgetReader } from '@pinegate/budget';
import { openLedger } from '@pinegate/ledger';
import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import type { TestProcess } from '@pinegate/testing';
import { expect } from 'vitest';
import { createRecorder, type Recorder } from '../stack/recorder.ts';
import { type DemoAccount, type Stack, type StackOptions, startStack } from '../stack/start-stack.ts';
import { SEED } from './seed.ts';

/** Times short enough that windows, leases and retries end within a test. */
const SHORT_TIMES = {
  // Also a sandbox that waits for a core does what it was sent within it.
  VERIFY_DELAY_MS: '4000',
  CLAIM_LEASE_MS: '6000',
  REQUEST_DEADLINE_MS: '2000',
  LOG_LEVEL: 'debug',
};

/**
 * For tests in which no request hangs and no worker dies: one that is late for a busy machine's sake would spend a try, and a claim that
 * lapsed for it would be read again.
 */
export const PATIENT = { REQUEST_DEADLINE_MS: '20000', CLAIM_LEASE_MS: '60000' };

/** The real processes with short times, a recorder of what is sent, and the checker at the end. */
export interface FaultStack extends Stack, Recorder {
  /** Whether the ledgers have nothing pending, nothing claimed, no open chunk and nothing to verify. */
  quiet(): Promise<boolean>;
  /** Waits until all is quiet and expects that no promise was broken. */
  expectRight(): Promise<void>;
  isBreakerOpen(): Promise<boolean>;
  /** The stack's Redis, to break from inside. */
  readonly redisClient: Redis;
  /** SIGSTOP; the returned function thaws. What the worker had in flight may meet that of another. */
  freeze(worker: TestProcess): () => void;
}

export const SCRIPT = `PUB;${'f1'.repeat(16)}`;
export const ALPHA: DemoAccount = { id: 'alpha', scripts: [SCRIPT] };

/** Starts them, with the account `alpha` that has SCRIPT. `name` tells the seeds of a run's stacks apart. */
export async function openFaultStack(name: string, options: Partial<StackOptions> = {}): Promise<FaultStack> {
  process.stdout.write(`${name}: PINEGATE_SEED=${SEED}\n`);
  const stack = await startStack({
    workers: 1,
    accounts: [ALPHA],
    seed: `${SEED} ${name}`,
    workerMain: 'tests/stack/quick-worker.ts',
    ...options,
    env: { ...SHORT_TIMES, ...options.env },
  });
  const redis = openRedis(options.env?.REDIS_URL ?? stack.redis.url, 'shared');
  const ledgers = openLedger({ redis, ns: 'pinegate', times: LOOKING_ONLY });
  const ids = new Set([ALPHA, ...(options.accounts ?? [])].map(({ id }) => id));
  const accounts = [...ids].map((id) => ledgers.account(id));
  const budgets = createBudgetReader({ redis, ns: 'pinegate' });

  async function quiet(): Promise<boolean> {
    const all = await Promise.all(accounts.map((ledger) => ledger.summary()));
    return all.every((s) => s.nextDue === null && s.openChunks === 0 && Object.values(s.pending).every((n) => n === 0));
  }
  const recorder = createRecorder(stack, quiet, `${name}-${SEED}`);
  return Object.assign(Object.create(stack) as Stack, recorder, {
    quiet,
    redisClient: redis,
    isBreakerOpen: async () => (await budgets.read(ALPHA.id)).breakerOpen,
    async expectRight() {
      const verdict = await recorder.verdict();
      expect(verdict.report()).toBe('');
    },
    freeze(worker: TestProcess) {
      const thawed = recorder.frozen();
      worker.signal('SIGSTOP');
      return () => {
        worker.signal('SIGCONT');
        thawed();
      };
    },
    async stop() {
      await closeRedis(redis);
      await stack.stop();
    },
  });
}

// A summary reads no times.
const LOOKING_ONLY = { verifyDelayMs: 0, leaseMs: 0, freshMs: 0, retentionMs: 0, maxTries: 1 };
