import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);
const PATH = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/widow`;

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('api-killed');
});
afterAll(() => stack?.stop());

test('an api killed while a client waits: the same request hears 409 until the lease has ended, then goes on, and extends once', async () => {
  await stack.send(SCRIPT, 'widow', { kind: 'set', expiresAt: JUNE });
  await stack.settled();
  await stack.call('POST', '/v1/accounts/alpha/pause');
  const headers = { 'idempotency-key': 'widowed', prefer: 'wait=60' };
  const cut = stack.call('PUT', PATH, { headers, body: { extendBy: '1M' } }).then(
    ({ status }) => status,
    () => 'cut off',
  );
  await waitFor(async () => (await stack.read(PATH)).version === 2, {
    what: 'the extension to be written',
  });
  await stack.api.kill();
  expect(await cut).toBe('cut off');
  await stack.startApi();

  const again = () => stack.call('PUT', PATH, { headers: { ...headers, prefer: 'wait=0' }, body: { extendBy: '1M' } });
  const resumed = await waitFor(
    async () => {
      const answer = await again();
      if (answer.status !== 409) return answer;
      expect([answer.body.code, answer.headers.has('retry-after')]).toEqual(['request_running', true]);
      return undefined;
    },
    { what: 'the lease of the dead request to end' },
  );
  expect([resumed.status, resumed.body.version]).toEqual([202, 2]);
  await stack.call('POST', '/v1/accounts/alpha/resume');
  await waitFor(stack.quiet, { what: 'the ledger to become quiet', withinMs: 90_000 });
  expect((await stack.members(SCRIPT)).get('widow')).toBe('2031-07-01T00:00:00.000Z');
  const body = await stack.read(`/v1/operations/${resumed.body.operation}`);
  expect([body.version, body.outcome]).toEqual([2, 'changed']);
  expect((await again()).body).toEqual(resumed.body);
});
