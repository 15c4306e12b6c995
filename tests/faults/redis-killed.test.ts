import { setTimeout as outage } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const IDLE = `PUB;${'f2'.repeat(16)}`;

let stack: FaultStack;

beforeAll(async () => {
  const accounts = [
    { id: 'alpha', scripts: [SCRIPT] },
    { id: 'idle', scripts: [IDLE] },
  ];
  stack = await openFaultStack('redis-killed', { workers: 2, accounts });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 200] } });
});
afterAll(() => stack?.stop());

test.each([3_000, 20_000])(
  'Redis killed with work in hand and back after %i ms: nothing is lost, and busy and idle lanes go on by themselves',
  async (ms) => {
    const sent = stack.sendBatch(contestedRows(`killed${ms}`, 30, 200));
    await stack.write((w) => w.username.startsWith(`killed${ms}`), 'the first writes');
    await stack.redis.kill();
    await outage(ms);
    await stack.redis.start();
    await sent;
    const idle = await stack.send(IDLE, `idle${ms}`, { kind: 'set', expiresAt: null });
    await stack.expectRight();
    expect((await stack.read(`/v1/operations/${idle.id}`)).outcome).toBe('granted');
  },
);
