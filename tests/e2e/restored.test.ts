import { resolve } from 'node:path';
import { reservePort, startProcess, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPTS = [`PUB;${'e1'.repeat(16)}`, `PUB;${'e2'.repeat(16)}`] as const;
const OTHER = `PUB;${'e3'.repeat(16)}`;
const pathOf = (script: string) => `/v1/scripts/${encodeURIComponent(script)}`;

let stack: Stack;

beforeAll(async () => {
  const accounts = [
    { id: 'one', scripts: SCRIPTS },
    { id: 'two', scripts: [OTHER] },
  ];
  stack = await startStack({ workers: 1, accounts });
});
afterAll(() => stack?.stop());

/** As an operator runs it, by its address in a file. */
async function restored(redisUrl: string) {
  const child = await startProcess({ args: ['scripts/restored.mjs'], cwd: ROOT, env: { REDIS_URL: redisUrl } });
  const { code } = await child.exited;
  return { code, said: child.lines.join('\n') };
}

async function grant(script: string, username: string, wait = false) {
  const headers: Record<string, string> = wait ? { prefer: 'wait=60' } : {};
  return stack.call('PUT', `${pathOf(script)}/access/${username}`, { body: { expiresAt: null }, headers });
}

async function adopt(script: string): Promise<void> {
  const { body } = await stack.call('POST', `${pathOf(script)}/refresh`, { body: { mode: 'adopt' } });
  const isDone = async () => (await stack.read(`/v1/refreshes/${body.id}`)).state === 'done';
  await waitFor(isDone, { what: 'the refresh', withinMs: 90_000 });
}

test('after restored.mjs every account is paused, and nothing is written before its scripts were adopted and it was resumed', async () => {
  expect((await grant(SCRIPTS[0], 'before', true)).status).toBe(200);
  await stack.workers[0]?.stop();
  expect((await grant(SCRIPTS[0], 'waits')).status).toBe(202);
  await stack.api.stop();
  const { code, said } = await restored(stack.redis.url);
  expect([code, said]).toEqual([0, expect.stringMatching(/^New epoch .* Every account is paused/)]);
  await stack.startApi();
  await stack.startWorker();

  const { body: accounts } = await stack.call('GET', '/v1/accounts');
  const states = accounts.items.map((a: { id: string; state: string; reason?: string }) => [a.id, a.state, a.reason]);
  expect(states).toEqual([
    ['one', 'paused', 'redis_restored'],
    ['two', 'paused', 'redis_restored'],
  ]);
  expect((await grant(SCRIPTS[0], 'after')).status).toBe(202);
  const refused = await stack.call('POST', '/v1/accounts/one/resume');
  expect([refused.status, refused.body.code, refused.body.scripts]).toEqual([409, 'refresh_required', [...SCRIPTS]]);
  for (const script of SCRIPTS) await adopt(script);
  expect((await stack.writes()).map(({ username }) => username)).toEqual(['before']);

  expect((await stack.call('POST', '/v1/accounts/one/resume')).body.state).toBe('active');
  await waitFor(async () => (await stack.members(SCRIPTS[0])).size === 3, { what: 'what had waited to be written' });
  // Adopted: what is so needs no write.
  const again = await grant(SCRIPTS[0], 'before', true);
  expect([again.status, again.body.applied.outcome]).toEqual([200, 'unchanged']);
  expect((await stack.read('/v1/accounts/two')).state).toBe('paused');
});

test('without a Redis it says so and fails', async () => {
  const { code, said } = await restored(`redis://127.0.0.1:${await reservePort()}`);
  expect(code).toBe(1);
  expect(said).toMatch(/^restored: Redis does not answer/);
});
