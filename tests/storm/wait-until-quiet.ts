import type { Redis } from '@pinegate/runtime';
import type { Sandbox } from './chaos.ts';
import { ACCOUNTS } from './stage.ts';

const EVERY_MS = 500;
const STUCK_MS = 75_000;
const MOST_MS = 300_000;

/** What is still to be done in an account's ledger; all zero when it is quiet. */
interface Left {
  readonly pending: number;
  readonly due: number;
  readonly claims: number;
  readonly chunks: number;
}

async function leftOf(redis: Redis, tag: string): Promise<Left> {
  const ledger = await redis.hgetall(`${tag}:ledger`);
  const pending = Object.entries(ledger).filter(([name]) => name.startsWith('pending:'));
  return {
    pending: pending.reduce((sum, [, n]) => sum + Math.abs(Number(n)), 0),
    due: await redis.zcard(`${tag}:due`),
    claims: await redis.hlen(`${tag}:claims`),
    chunks: await redis.hlen(`${tag}:chunks`),
  };
}

/**
 * Waits while there is progress; resolves to null when nothing is pending, due, claimed or open any more and no write can land, else to
 * what is left.
 */
export async function waitUntilQuiet(redis: Redis, sandbox: Sandbox): Promise<string | null> {
  const began = performance.now();
  let changedAt = began;
  let last = '';
  for (;;) {
    const left = await Promise.all(ACCOUNTS.map(({ id }) => leftOf(redis, `{pinegate:${id}}`)));
    const { lateWritesPending, inFlight } = (await sandbox('GET', '/__sandbox/counters')) as Record<string, number>;
    const numbers = [...left.flatMap((l) => Object.values(l)), lateWritesPending, inFlight];
    if (numbers.every((n) => n === 0)) return null;
    const seen = JSON.stringify({ left, lateWritesPending, inFlight });
    const now = performance.now();
    if (seen !== last) changedAt = now;
    last = seen;
    if (now - changedAt > STUCK_MS || now - began > MOST_MS) return seen;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
