import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leftAlone, postCookies, type Stack, startStack } from '../stack/start-stack.ts';

const DATE = '2031-05-01T00:00:00.000Z';
const FORMS = ['unauthorized', 'login_required', 'detail', 'redirect', 'html'] as const;
const ROWS = 300;
const RATE = { start: 60, adaptive: false };

const idOf = (form: string) => form.replace('_', '-');
const scriptOf = (id: string) => `PUB;${Buffer.from(id.padEnd(16, '.')).toString('hex').slice(0, 32)}`;

let stack: Stack;

beforeAll(async () => {
  const budgets = { grant: RATE, revoke: RATE, list: RATE, lookup: RATE };
  const accounts = [...FORMS.map(idOf), 'other'].map((id) => {
    const scripts = [scriptOf(id)];
    return { id, scripts, config: { scripts, budgets, maxInFlight: 24 } };
  });
  // With a single try any attempt that is spent shows as a failed operation.
  const env = { MAX_TRIES: '1', VERIFY_DELAY_MS: '1000', LOG_LEVEL: 'debug' };
  stack = await startStack({ workers: 2, env, accounts });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 50 } });
});
afterAll(() => stack?.stop());

async function grantMany(id: string, rows: number): Promise<string> {
  const usernames = Array.from({ length: rows }, (_, i) => `${id}-${rows}-${i}`);
  const body = { action: 'grant', scripts: [scriptOf(id)], usernames, expiresAt: DATE };
  return (await stack.call('POST', '/v1/batches', { body })).body.id;
}

const accountOf = async (id: string) => await stack.read(`/v1/accounts/${id}`);
const requestsOf = async (id: string): Promise<number> =>
  (await stack.sandbox('GET', '/__sandbox/counters')).body.accounts[id].requests;
const told = (id: string) =>
  stack.workers.flatMap(({ lines }) =>
    lines.filter((line) => line.includes('the session is dead') && line.includes(`"account":"${id}"`)),
  );

async function underWay(id: string, batch: string): Promise<void> {
  await waitFor(async () => ((await stack.read(`/v1/batches/${batch}`)).outcomes.granted ?? 0) > 20, {
    what: `the first grants of ${id}`,
  });
}

describe.each(FORMS)('a session that dies mid-run and shows itself as %s', (form) => {
  const id = idOf(form);

  test('parks its account, spends no attempt, slows no other account, and goes on with fresh cookies', async () => {
    const batch = await grantMany(id, ROWS);
    await underWay(id, batch);
    await stack.sandbox('POST', `/__sandbox/accounts/${id}/session`, { alive: false, form });
    const parked = await waitFor(
      async () => {
        const account = await accountOf(id);
        return account.state === 'parked' ? account : undefined;
      },
      { what: `${id} to be parked` },
    );
    expect(parked).toMatchObject({ reason: 'session_dead', session: { state: 'dead' } });

    // Another account works through a batch meanwhile, in which time requests that are still sent would show.
    await stack.drained(await grantMany('other', 10));
    await leftAlone(stack.workers, id, 'parked');
    const before = await requestsOf(id);
    await stack.drained(await grantMany('other', 60));
    expect(await requestsOf(id)).toBe(before);
    await waitFor(() => told(id).length > 0, { what: 'the worker that found out to tell so' });
    expect(told(id)).toHaveLength(1);

    const fresh = { sessionid: `fresh-${id}`, sessionidSign: `fresh-sign-${id}` };
    await stack.sandbox('PUT', `/__sandbox/accounts/${id}`, { ...fresh, scripts: [scriptOf(id)] });
    expect(await postCookies(stack, id, fresh)).toMatchObject({ state: 'active', session: { state: 'ok' } });
    const done = await stack.drained(batch);
    const { granted = 0, changed = 0, unchanged = 0 } = done.outcomes;
    expect(granted + changed + unchanged).toBe(ROWS);
    expect((await stack.members(scriptOf(id))).size).toBe(ROWS);
  });
});

test('an outage page parks nobody, and what waits goes on after it', async () => {
  const batch = await grantMany('other', ROWS);
  await underWay('other', batch);
  const challenged = async () => (await stack.sandbox('GET', '/__sandbox/counters')).body.faults.challenge ?? 0;
  const before = await challenged();
  await stack.sandbox('POST', '/__sandbox/configure', { faults: { challenge: 1 } });
  await waitFor(async () => (await challenged()) >= before + 8, { what: 'some answers with a page' });
  expect(await accountOf('other')).toMatchObject({ state: 'active', session: { state: 'ok' } });
  await stack.sandbox('POST', '/__sandbox/configure', { faults: {} });
  const done = await stack.drained(batch);
  const { granted = 0, changed = 0, unchanged = 0, failed = 0 } = done.outcomes;
  // A page whose session is found alive costs its key a try, and here there is one only: the last pages may end as failed.
  expect(granted + changed + unchanged + failed).toBe(ROWS);
  expect(granted + changed + unchanged).toBeGreaterThan(failed);
  expect(told('other')).toEqual([]);
});

test('nobody ever tried to log in', async () => {
  expect((await stack.sandbox('GET', '/__sandbox/counters')).body.signins).toEqual({});
});
