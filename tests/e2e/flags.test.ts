import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'f6'.repeat(16)}`;
const DATE = '2033-03-03T00:00:00.000Z';
let stack: Stack;

beforeAll(async () => {
  const env = { VERIFY_DELAY_MS: '300' };
  stack = await startStack({ workers: 1, env, accounts: [{ id: 'zeta', scripts: [SCRIPT] }] });
});
afterAll(() => stack?.stop());

async function calls(endpoint: string): Promise<number> {
  const { body } = await stack.sandbox('GET', '/__sandbox/counters');
  return Object.values((body.endpoints[endpoint] ?? {}) as Record<string, number>).reduce((a, b) => a + b, 0);
}

test('a worker follows a change: every write is read again, over HTTP/1.1', async () => {
  const put = await stack.call('PUT', '/v1/flags', { body: { verifyEveryWrite: true, http2: false } });
  expect(put.status).toBe(200);
  const path = (name: string) => `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${name}`;
  const probes: string[] = [];
  await waitFor(
    async () => {
      const probe = path(`probe-${probes.length}`);
      const sent = await stack.call('PUT', probe, { body: { expiresAt: DATE }, headers: { prefer: 'wait=2' } });
      if (sent.status < 300) probes.push(probe);
      return (await calls('list_users')) > 0;
    },
    { what: 'a write to be read again' },
  );
  // A probe may still wait for its write, which must not be counted among those that follow.
  for (const probe of probes) {
    await waitFor(async () => (await stack.read(probe)).status === 'settled', { what: 'the probes to settle' });
  }

  const [reads, adds] = [await calls('list_users'), await calls('add')];
  const usernames = Array.from({ length: 40 }, (_, i) => `seen-${i}`);
  const grant = { action: 'grant', scripts: [SCRIPT], usernames, expiresAt: DATE };
  const posted = await stack.call('POST', '/v1/batches', { body: grant });
  expect((await stack.drained(posted.body.id)).outcomes.granted).toBe(40);
  await waitFor(async () => (await calls('list_users')) >= reads + 40, { what: 'every write to be read' });
  expect([(await calls('add')) - adds, await calls('modify')]).toEqual([40, 0]);
});
