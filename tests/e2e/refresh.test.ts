import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'d4'.repeat(16)}`;
const PATH = `/v1/scripts/${encodeURIComponent(SCRIPT)}`;
const DATE = '2033-03-03T00:00:00.000Z';
const MOVED = '2034-04-04T00:00:00.000Z';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ workers: 2, accounts: [{ id: 'delta', scripts: [SCRIPT] }] });
});
afterAll(() => stack?.stop());

/** What the author does on the site, behind our back. */
async function removeOnTheSite(username: string): Promise<void> {
  const answer = await fetch(`${stack.sandboxUrl}/pine_perm/remove/`, {
    method: 'POST',
    headers: {
      origin: 'https://www.tradingview.com',
      referer: 'https://www.tradingview.com/',
      'x-requested-with': 'XMLHttpRequest',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: 'sessionid=session-delta; sessionid_sign=sign-delta',
    },
    body: new URLSearchParams({ pine_id: SCRIPT, username_recip: username }),
  });
  expect(answer.status).toBe(200);
}

async function refresh(mode: 'report' | 'adopt') {
  const posted = await stack.call('POST', `${PATH}/refresh`, { body: { mode } });
  expect(posted.status).toBe(202);
  return waitFor(
    async () => {
      const body = await stack.read(`/v1/refreshes/${posted.body.id}`);
      return body.state === 'done' || body.state === 'failed' ? body : undefined;
    },
    { what: 'the refresh to end', withinMs: 60_000 },
  );
}

/** Requests that the workers made for accesses. */
async function calls(): Promise<number> {
  const { body } = await stack.sandbox('GET', '/__sandbox/counters');
  const endpoints = ['add', 'modify', 'remove', 'list_users', 'username_hint'];
  return endpoints.reduce(
    (sum, name) =>
      sum + Object.values((body.endpoints[name] ?? {}) as Record<string, number>).reduce((a, b) => a + b, 0),
    0,
  );
}

function rosterOf(members: ReadonlyMap<string, string | null>) {
  return [...members].map(([username, expiresAt]) => ({ action: 'grant', script: SCRIPT, username, expiresAt }));
}

test('drift made on the site is reported, adopted, and then the roster as it stands costs no call', async () => {
  const names = Array.from({ length: 95 }, (_, i) => `member-${i}`);
  const operations = names.map((username) => ({ action: 'grant', script: SCRIPT, username, expiresAt: DATE }));
  const first = await stack.call('POST', '/v1/batches', { body: { operations } });
  expect((await stack.drained(first.body.id)).outcomes.granted).toBe(95);

  for (const name of ['member-1', 'member-50', 'member-94']) await removeOnTheSite(name);
  await stack.sandbox('POST', '/__sandbox/members', {
    pine_id: SCRIPT,
    members: [
      ...Array.from({ length: 5 }, (_, i) => ({ username: `ByHand${i}`, expiration: null })),
      { username: 'member-7', expiration: MOVED },
      { username: 'member-8', expiration: null },
    ],
  });

  const report = await refresh('report');
  expect(report).toMatchObject({ state: 'done', progress: { pages: 4, members: 97 } });
  const counts = ({ drift }: typeof report) => [drift.missing.count, drift.surplus.count, drift.otherExpiry.count];
  expect(counts(report)).toEqual([3, 5, 2]);
  expect(report.drift.missing.items.map(({ username }: { username: string }) => username).sort()).toEqual([
    'member-1',
    'member-50',
    'member-94',
  ]);

  expect(counts(await refresh('adopt'))).toEqual([3, 5, 2]);
  expect(counts(await refresh('report'))).toEqual([0, 0, 0]);
  const access = await stack.call('GET', `${PATH}/access/byhand3`);
  expect(access.body).toMatchObject({ username: 'ByHand3', applied: { state: 'granted', expiresAt: null } });

  const before = await calls();
  const members = await stack.members(SCRIPT);
  const again = await stack.call('POST', '/v1/batches', { body: { operations: rosterOf(members) } });
  expect((await stack.drained(again.body.id)).outcomes.unchanged).toBe(97);
  expect(await calls()).toBe(before);

  // A known member's new date is one call, and so is a new member.
  const changes = [
    { action: 'grant', script: SCRIPT, username: 'byhand0', expiresAt: DATE },
    { action: 'grant', script: SCRIPT, username: 'member-1', expiresAt: DATE },
  ];
  const changed = await stack.call('POST', '/v1/batches', { body: { operations: changes } });
  expect((await stack.drained(changed.body.id)).outcomes).toMatchObject({ changed: 1, granted: 1 });
  expect(await calls()).toBe(before + 2);
});

test('a list whose pages cannot be read to the end is refused, and nothing is adopted', async () => {
  await stack.sandbox('POST', '/__sandbox/accounts/delta/session', { alive: false, form: 'login_required' });
  const failed = await refresh('adopt');
  expect(failed).toMatchObject({ state: 'failed', drift: null, error: { code: 'session_dead' } });
});
