import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { overviewText } from '../src/overview/overview-text.ts';
import { ADMIN_KEY, type DashboardHarness, openDashboardHarness } from './dashboard-harness.ts';

const SCRIPT = `PUB;${'a1'.repeat(16)}`;
const FUTURE = Date.UTC(2040, 0, 1);

let dashboard: DashboardHarness;

beforeEach(async () => {
  dashboard = await openDashboardHarness(inject('redisUrl'));
  const { accounts } = dashboard.context.directory;
  const first = await accounts.get('first');
  if (first) await accounts.put('first', { ...first, scripts: [SCRIPT] });
});
afterEach(() => dashboard.close());

/** A batch with one failed operation and one that is pending. */
async function batchWithFailure(): Promise<string> {
  const { directory, ledger } = dashboard.context;
  const id = 'b_failing';
  await directory.batches.create(id, 'key');
  await directory.batches.addPart(id, 'first', 'bulk');
  const own = ledger.account('first');
  const rows = ['anna', 'bert'].map((username, i) => ({
    row: i + 1,
    script: 1,
    operation: { action: 'grant', script: SCRIPT, username, until: { kind: 'date', expiresAt: FUTURE } } as const,
  }));
  await own.submit({ id, kind: 'batch', lane: 'bulk', turn: id, source: 'key' }, 0, rows);
  await directory.batches.setUpload(id, 'complete', 2);
  const { keys } = await own.claim(1, ['anna'], 't1', { grant: 1, revoke: 0, list: 1 });
  const [work] = keys;
  if (work?.need !== 'write') throw new Error(`anna needs ${work?.need}`);
  const common = { script: 1, name: 'anna', token: 't1', carried: work.version, sent: true } as const;
  await own.settle([{ ...common, result: 'uncertain', code: 'UNCERTAIN', retryMs: 1, spend: true }]);
  return id;
}

async function form(url: string, cookie: string, fields: Record<string, string>, headers = {}) {
  const payload = new URLSearchParams(fields).toString();
  const type = 'application/x-www-form-urlencoded';
  return dashboard.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type, cookie, ...headers } });
}

async function csrfOf(cookie: string): Promise<string> {
  return /name="csrf" value="([^"]+)"/.exec((await dashboard.get('/', cookie)).body)?.[1] ?? '';
}

async function keyWith(scope: 'read' | 'admin'): Promise<string> {
  return dashboard.cookieOf((await dashboard.context.directory.keys.create('ops', [scope])).secret);
}

test('an operator pauses an account and lets it go on, and the audit has both with their reason', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const csrf = await csrfOf(cookie);
  const paused = await form('/accounts/first/pause', cookie, { csrf, reason: 'a quiet night' });
  expect([paused.statusCode, paused.headers.location]).toEqual([303, '/']);
  const { accounts, audit } = dashboard.context.directory;
  expect((await accounts.get('first'))?.state).toBe('paused');
  await form('/accounts/first/resume', cookie, { csrf });
  expect((await accounts.get('first'))?.state).toBe('parked');
  const { items } = await audit.list({ target: 'first' }, null, 10);
  expect(items.map(({ action, reason, result }) => [action, reason, result])).toEqual([
    ['account.resume', null, 'done'],
    ['account.pause', 'a quiet night', 'done'],
  ]);
});

test.each(['/accounts/first/pause', '/accounts/first/resume', '/redrive'])(
  '%s is refused to a viewer, whatever the form carries',
  async (url) => {
    const cookie = await keyWith('read');
    const page = (await dashboard.get('/', cookie)).body;
    expect(page).not.toContain('<button>pause');
    const answer = await form(url, cookie, { csrf: 'x', account: 'first', part: 'b', kind: 'batch' });
    expect(answer.statusCode).toBe(403);
    expect((await dashboard.context.directory.accounts.get('first'))?.state).toBe('parked');
  },
);

test('a form without the token of its login is refused, as is one that another site sends', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const other = await csrfOf(await keyWith('admin'));
  const csrf = await csrfOf(cookie);
  const answers = await Promise.all([
    form('/accounts/first/pause', cookie, {}),
    form('/accounts/first/pause', cookie, { csrf: other }),
    form('/accounts/first/pause', cookie, { csrf }, { 'sec-fetch-site': 'cross-site' }),
  ]);
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403]);
  expect((await dashboard.context.directory.accounts.get('first'))?.state).toBe('parked');
});

test('the overview has running batches with their progress and lanes with their oldest wait', async () => {
  const id = await batchWithFailure();
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const { accounts, batches } = (await dashboard.get('/overview.json', cookie)).json();
  expect(accounts[0]).toMatchObject({ id: 'first', rates: { grant: 5 }, inFlight: 0, maxInFlight: 24 });
  expect(accounts[0].lanes['grant-bulk']).toMatchObject({ pending: 2 });
  expect(batches).toMatchObject([{ id, state: 'running', total: 2, pending: 2 }]);
  const page = (await dashboard.get('/', cookie)).body;
  expect(page).toContain(`data-batch="${id}"`);
  expect(page).toContain('<progress max="2" value="0">');
});

test('the text for a terminal says the same as the page, in columns', async () => {
  const id = await batchWithFailure();
  const cookie = await keyWith('read');
  const [text, data] = await Promise.all([
    dashboard.get('/overview.txt', cookie),
    dashboard.get('/overview.json', cookie),
  ]);
  expect(text.headers['content-type']).toContain('text/plain');
  expect(text.body).toContain('first');
  expect(text.body).toContain(`${id}  running  [....................]  0 of 2`);
  const lines = overviewText(data.json()).split('\n');
  expect(lines[2]?.indexOf('session')).toBe(lines[3]?.indexOf('unknown'));
});

test('after ten attempts from an address a login is answered 429, even with the right key', async () => {
  for (let attempt = 0; attempt < 10; attempt++) expect((await dashboard.logIn('pk_guess')).statusCode).toBe(401);
  const refused = await dashboard.logIn(ADMIN_KEY);
  expect(refused.statusCode).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.cookies).toEqual([]);
});

test('the board shows what a job holds: script, number of keys, first names; and the lanes of an account that is new', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  await batchWithFailure();
  const { directory, ledger, bells } = dashboard.context;
  await bells.ring('first', 'grant-bulk', 1);
  await ledger.account('first').take('grant-bulk', '1');
  const lane = encodeURIComponent('first · grant-bulk');
  const job = (await dashboard.get(`/queues/api/queues/${lane}/1`, cookie)).json();
  expect(job.job.data).toEqual({ script: SCRIPT, action: 'grant', keys: 2, names: ['anna', 'bert'] });

  const first = await directory.accounts.get('first');
  if (first) await directory.accounts.put('later', { ...first, scripts: [] });
  const { queues } = (await dashboard.get('/queues/api/queues', cookie)).json();
  expect(queues.map(({ name }: { name: string }) => name)).toContain('later · grant');
  await directory.accounts.remove('later');
  const after = (await dashboard.get('/queues/api/queues', cookie)).json().queues;
  expect(after.map(({ name }: { name: string }) => name)).not.toContain('later · grant');
});
