import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '../../tests/stack/start-stack.ts';
import { quantile } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { EXPIRES } from '../rivals/rival.ts';

const SCRIPT = `PUB;${'0'.repeat(32)}`;
const ACCOUNT = 'bench';
/** One upload of the backlog. */
const UPLOAD_ROWS = 100_000;
/** So many replace what has settled, at once. */
const TOP_UP_ROWS = 2_500;
const READ_EVERY_MS = 20;

/** A stack whose backlog stays as it is: what settles is replaced. */
export interface BacklogSide {
  readonly size: number;
  resume(): Promise<void>;
  pause(): Promise<void>;
  /** Operations settled so far. */
  settled(): Promise<number>;
  /** What settles a second in such a time, and how long reads take meanwhile, ms. */
  measure(seconds: number): Promise<{ readonly rate: number; readonly p50: number; readonly p99: number }>;
  stop(): Promise<void>;
}

/** Starts a stack with one worker and an account that has so many grants pending. */
export async function openBacklogSide(size: number, seed: string): Promise<BacklogSide> {
  const stack = await startBenchStack({ workers: 1, seed, accounts: [{ id: ACCOUNT, scripts: [SCRIPT] }] });
  try {
    const single = await stack.call('PUT', `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/first`, {
      headers: { prefer: 'wait=10' },
      body: { expiresAt: EXPIRES },
    });
    await turn(stack, 'pause');
    let accepted = 0;
    const upload = async (rows: number) => {
      const id = await submit(stack, accepted, rows);
      accepted += rows;
      return id;
    };
    let batch = '';
    while (accepted < size) batch = await upload(Math.min(UPLOAD_ROWS, size - accepted));
    const settled = async () => accepted - (await pendingOf(stack));
    const resume = async () => {
      // What settled before the pause took effect.
      const missing = size - (await pendingOf(stack));
      if (missing > 0) await upload(missing);
      await turn(stack, 'resume');
    };
    const readings = [`/v1/batches/${batch}`, `/v1/operations/${single.body.operation}`];
    return {
      size,
      resume,
      pause: () => turn(stack, 'pause'),
      settled,
      measure: (seconds) => measure(stack, readings, settled, upload, size, seconds),
      stop: () => stack.stop(),
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

async function measure(
  stack: Stack,
  readings: readonly string[],
  settled: () => Promise<number>,
  upload: (rows: number) => Promise<unknown>,
  size: number,
  seconds: number,
) {
  const rows = Math.min(Math.ceil(size / 4), TOP_UP_ROWS);
  const waits: number[] = [];
  const open: Promise<void>[] = [];
  const read = async (path: string) => {
    const from = performance.now();
    const { status } = await stack.call('GET', path);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    waits.push(performance.now() - from);
  };
  let topping: Promise<unknown> | undefined;
  const first = await settled();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  for (let n = 0; performance.now() < endsAt; n++) {
    open.push(read(readings[n % readings.length] ?? ''));
    if ((n & 3) === 0 && !topping && (await pendingOf(stack)) <= size - rows) {
      topping = upload(rows).finally(() => {
        topping = undefined;
      });
    }
    await pause(READ_EVERY_MS);
  }
  // Rows of an upload under way would count as pending and not yet as accepted.
  await topping;
  const [last, took] = [await settled(), performance.now() - startedAt];
  await Promise.all(open);
  const ms = (share: number) => Math.round(quantile(waits, share) * 10) / 10;
  return { rate: Math.round(((last - first) * 1000) / took), p50: ms(0.5), p99: ms(0.99) };
}

async function turn(stack: Stack, to: 'pause' | 'resume'): Promise<void> {
  const { status, body } = await stack.call('POST', `/v1/accounts/${ACCOUNT}/${to}`, { body: {} });
  if (status >= 300) throw new Error(`${to}: ${status} ${body.code}`);
}

async function submit(stack: Stack, from: number, count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, i) => `grant,${SCRIPT},user_${from + i},${EXPIRES}\n`);
  const raw = `action,script,username,expires_at\n${lines.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  if (body.accepted !== count) throw new Error(`the backlog was not accepted: ${JSON.stringify(body)}`);
  return body.id;
}

async function pendingOf(stack: Stack): Promise<number> {
  const { body } = await stack.call('GET', `/v1/accounts/${ACCOUNT}`);
  return body.pending;
}
