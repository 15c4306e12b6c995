import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'e5'.repeat(16)}`;
const DATE = '2033-03-03T00:00:00.000Z';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ workers: 2, accounts: [{ id: 'epsilon', scripts: [SCRIPT] }] });
});
afterAll(() => stack?.stop());

async function calls(endpoint: string): Promise<number> {
  const { body } = await stack.sandbox('GET', '/__sandbox/counters');
  return Object.values((body.endpoints[endpoint] ?? {}) as Record<string, number>).reduce((a, b) => a + b, 0);
}

async function drain(usernames: readonly string[], query: string, action: 'grant' | 'revoke' = 'grant') {
  const expiry = action === 'grant' ? { expiresAt: DATE } : {};
  const posted = await stack.call('POST', `/v1/batches${query}`, {
    body: { action, scripts: [SCRIPT], usernames, ...expiry },
  });
  expect(posted.body).toMatchObject({ accepted: usernames.length, rejected: 0 });
  return stack.drained(posted.body.id);
}

test('with ?validate=true unknown users end rejected before a permission call, each looked up once by all workers', async () => {
  const real = Array.from({ length: 180 }, (_, i) => `Trader${i}`);
  const ghosts = Array.from({ length: 20 }, (_, i) => `ghost-${i}`);
  await stack.sandbox('POST', '/__sandbox/users', { registered: real });
  const done = await drain([...ghosts, ...real.map((name) => name.toLowerCase())], '?validate=true');
  expect(done.outcomes).toMatchObject({ granted: 180, rejected: 20 });
  expect([await calls('add'), await calls('username_hint')]).toEqual([180, 200]);
  const failures = await stack.call('GET', `/v1/batches/${done.id}/failures`);
  expect(failures.body.items[0]).toMatchObject({ outcome: 'rejected', code: 'USER_NOT_FOUND' });
  expect((await stack.members(SCRIPT)).has('Trader7')).toBe(true);

  // What is cached costs nothing, and known members need no look-up at all.
  const again = await drain([...ghosts, ...real], '?validate=true');
  expect(again.outcomes).toMatchObject({ unchanged: 180, rejected: 20 });
  expect([await calls('add'), await calls('username_hint')]).toEqual([180, 200]);
  const revoked = await drain([...ghosts, 'TRADER5'], '?validate=true', 'revoke');
  expect(revoked.outcomes).toMatchObject({ revoked: 1, rejected: 20 });
  expect([await calls('remove'), await calls('username_hint')]).toEqual([1, 200]);

  const [view] = (await stack.call('POST', '/v1/usernames/validate', { body: { usernames: ['trader9'] } })).body
    .results;
  expect(view).toMatchObject({ username: 'Trader9', exists: true, cached: true });
});

test('a look-up that fails loses nothing: the rows are tried again', async () => {
  await stack.sandbox('POST', '/__sandbox/faults', { fault: 'serverError', endpoint: 'username_hint', count: 5 });
  const done = await drain(['later-1', 'later-2', 'ghost-x'], '?validate=true');
  expect(done.outcomes).toMatchObject({ granted: 2, rejected: 1 });
});
