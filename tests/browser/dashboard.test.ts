import { join, resolve } from 'node:path';
import { createBoardQueues } from '@pinegate/queues';
import { closeRedis, openRedis } from '@pinegate/runtime';
import { waitFor } from '@pinegate/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from './find-chromium.ts';
import { type BrowserStack, openBrowserStack } from './open-dashboard.ts';

const SCRIPT = `PUB;${'d4'.repeat(16)}`;
const FUTURE = '2031-05-01T00:00:00.000Z';
const IMAGES = resolve(import.meta.dirname, '../../docs/images');
const chromium = findChromium();
if (chromium === null) process.stdout.write('tests/browser: skipped, since there is no Chromium on this machine\n');

/** Screenshots for the documents are only written when asked for: SCREENSHOTS=1. */
async function shoot(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(IMAGES, `${name}.png`) });
}

describe.skipIf(chromium === null)('the dashboard in a browser', () => {
  let world: BrowserStack;

  beforeAll(async () => {
    // With a single try a request that is late for this machine's sake would end as failed, too.
    const env = { VERIFY_DELAY_MS: '300', MAX_TRIES: '1', REQUEST_DEADLINE_MS: '20000', CLAIM_LEASE_MS: '60000' };
    const slow = { start: 20, min: 1, max: 40, adaptive: true };
    const budgets = { grant: slow, revoke: slow, list: slow, lookup: slow };
    const accounts = [
      { id: 'north', scripts: [SCRIPT], config: { budgets, maxInFlight: 24 } },
      { id: 'south', scripts: [`PUB;${'e5'.repeat(16)}`] },
    ];
    world = await openBrowserStack(chromium ?? '', { workers: 1, env, accounts });
  });
  afterAll(() => world?.stop());

  test('a wrong key is told, and the right one leads to the overview', async () => {
    const page = await world.open();
    expect(page.url()).toBe(`${world.url}/login`);
    await world.logIn(page, 'pk_this_is_no_key');
    expect(await page.getByRole('alert').textContent()).toContain('no key of this Pinegate');
    await world.logIn(page, world.stack.adminKey);
    await page.waitForURL(`${world.url}/`);
    await page.locator('[data-account="north"]').waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'pinegate_session', httpOnly: true, sameSite: 'Strict' });
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  test('a failed operation is found on the overview, redriven there, and ends granted', async () => {
    const { stack } = world;
    await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: { add: { serverError: 1 } } });
    const operations = [{ action: 'grant', script: SCRIPT, username: 'unlucky', expiresAt: FUTURE }];
    const posted = await stack.call('POST', '/v1/batches', { body: { operations } });
    await stack.drained(posted.body.id);
    await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: {} });
    // Work for longer than this process may take to look at it.
    const more = Array.from({ length: 2_000 }, (_, i) => ({ ...operations[0], username: `user_${i}` }));
    await stack.call('POST', '/v1/batches', { body: { operations: more } });

    const page = await world.open();
    await world.logIn(page, stack.adminKey);
    const row = page.locator(`[data-part="${posted.body.id}"]`);
    await row.getByText('unlucky').waitFor();
    await page.locator('progress').first().waitFor();
    await shoot(page, 'overview');
    await row.getByRole('button', { name: 'redrive' }).click();
    await waitFor(async () => (await stack.read(`/v1/batches/${posted.body.id}`)).outcomes.granted === 1, {
      what: 'the redriven operation to be granted',
      withinMs: 60_000,
    });
    // The page keeps itself up to date: there is nothing left to redrive.
    await row.getByRole('button', { name: 'redrive' }).waitFor({ state: 'detached' });
  });

  test('a failing job is found on the board, with why, and run again', async () => {
    const redis = openRedis(world.stack.redis.url, 'shared');
    const queues = createBoardQueues({ redis, ns: 'pinegate' });
    const queue = queues.list([]).find(({ name }) => name === 'maintenance')?.queue;
    const job = await queue?.add('of-a-newer-version', {}, { attempts: 1 });
    await waitFor(async () => (await queue?.getFailedCount()) === 1, { what: 'the job to fail' });

    const page = await world.open();
    await world.logIn(page, world.stack.adminKey);
    await page.getByRole('link', { name: 'Queues' }).click();
    await page.getByText('north · grant-bulk').first().click();
    await page.getByRole('link', { name: /completed/i }).click();
    await page.getByText(SCRIPT).first().waitFor();
    await shoot(page, 'board');
    await page.goto(`${world.url}/queues/queue/maintenance?status=failed`);
    await page.getByText('of-a-newer-version').first().waitFor();
    await page
      .getByText(/UnknownTask|UNKNOWN_TASK/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    const attempts = async () => (await queue?.getJob(job?.id ?? ''))?.attemptsStarted ?? 0;
    await waitFor(async () => (await attempts()) === 2, { what: 'the job to run again' });
    await queues.close();
    await closeRedis(redis);
  });

  test('an operator pauses an account with a reason, sees it paused, and lets it go on', async () => {
    const page = await world.open();
    await world.logIn(page, await world.keyWith('admin'));
    const row = page.locator('[data-account="south"]');
    await row.getByLabel('Reason').fill('moving its scripts');
    await row.getByRole('button', { name: 'pause' }).click();
    await row.getByText('paused', { exact: true }).waitFor();
    await shoot(page, 'paused');
    expect((await world.stack.read('/v1/accounts/south')).state).toBe('paused');
    const audit = await world.stack.call('GET', '/v1/audit?action=account.pause');
    expect(audit.body.items[0]).toMatchObject({ target: 'south', reason: 'moving its scripts', result: 'done' });
    await row.getByRole('button', { name: 'resume' }).click();
    await row.getByText('active', { exact: true }).waitFor();
  });

  test('a viewer sees all of it, has no buttons, and is refused by the server', async () => {
    const page = await world.open();
    await world.logIn(page, await world.keyWith('read'));
    await page.locator('[data-account="north"]').waitFor();
    expect(await page.getByRole('button', { name: /pause|resume|redrive/ }).count()).toBe(0);
    const statuses = await page.evaluate(`Promise.all([
      fetch('/accounts/south/pause', { method: 'POST', body: new URLSearchParams({ csrf: 'x' }) }),
      fetch('/queues/api/queues/maintenance/pause', { method: 'PUT' }),
    ]).then((answers) => answers.map(({ status }) => status))`);
    expect(statuses).toEqual([403, 403]);
    expect((await world.stack.read('/v1/accounts/south')).state).toBe('active');
  });
});
