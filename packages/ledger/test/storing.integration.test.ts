import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import {
  batchRef,
  extend,
  grant,
  LIFE,
  life,
  openTestLedger,
  PERMITS,
  revoke,
  SCRIPT,
  type TestLedger,
} from './open-test-ledger.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `user${from + i}`);

async function store(t: TestLedger, from: number, to: number) {
  for (let i = from; i < to; i += 500) await t.submit('load', ...names(i, Math.min(to, i + 500)).map(life));
}

async function keysOf(t: TestLedger, kind: string) {
  return redis.keys(`${t.tag.replace(/[{}]/g, '?')}${kind}:*`);
}

test('five thousand records are found again and their hashes stay small', async () => {
  const t = await openTestLedger(redis);
  await store(t, 0, 5_000);
  const found = await t.ledger.readAccess(SCRIPT, names(0, 5_000));
  expect(found.map((r) => r?.username)).toEqual(names(0, 5_000));
  const buckets = await keysOf(t, `rec:${SCRIPT}`);
  const sizes = await Promise.all(buckets.map((key) => redis.hlen(key)));
  expect(sizes.reduce((a, b) => a + b, 0)).toBe(5_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(128);
  const encodings = await Promise.all(buckets.map((key) => redis.object('ENCODING', key)));
  expect(new Set(encodings)).toEqual(new Set(['listpack']));
});

test('a record too long for a listpack lives in a key of its own until it fits again', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', ...Array.from({ length: 8 }, (_, i) => extend('ann', i + 1)));
  expect(await keysOf(t, 'long')).toHaveLength(1);
  expect((await t.record('ann')).chain).toHaveLength(8);
  await store(t, 0, 200);
  expect((await t.record('ann')).chain).toHaveLength(8);
  await t.submit('b', revoke('ann'));
  expect(await keysOf(t, 'long')).toHaveLength(0);
  expect((await t.record('ann')).chain).toMatchObject([{ kind: 'revoke', version: 9 }]);
});

test('paging through a script loses nothing while its buckets split', async () => {
  const t = await openTestLedger(redis);
  await store(t, 0, 300);
  const seen = new Set<string>();
  let stored = 300;
  for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
    const page: Awaited<ReturnType<typeof t.ledger.listAccess>> = await t.ledger.listAccess(SCRIPT, cursor, 20, null);
    for (const record of page.items) seen.add(record.username);
    cursor = page.next;
    if (stored < 1_500) {
      await store(t, stored, stored + 100);
      stored += 100;
    }
  }
  for (const name of names(0, 300)) expect(seen).toContain(name);
});

test('accesses that nobody has mentioned are stored together as they are one by one', async () => {
  const [together, apart] = [await openTestLedger(redis), await openTestLedger(redis)];
  const operations = [
    life('ann'),
    grant('BobBy_LONGER.name-90', 1_930_000_000_000),
    grant('carl', 1_930_000_000_000),
    revoke('Dora'),
    extend('emil', 2, 'M'),
    extend('EMIL', 1),
    { ...life('Fred'), until: { kind: 'duration', duration: { amount: 30, unit: 'D' } } } as const,
    life('carl'),
    revoke('ann'),
    grant('Gina', 1_930_000_000_000),
  ];
  await together.submit('a', ...operations);
  for (const operation of operations) await apart.submit('a', operation);
  for (const { username } of operations) expect(await together.record(username)).toEqual(await apart.record(username));
  expect(await together.part('a')).toEqual(await apart.part('a'));
  await together.expectCountsToAgree();
  expect(await together.ledger.summary()).toMatchObject({ pending: { 'grant-bulk': 6, 'revoke-bulk': 2 } });
  const chunks = [await together.ledger.take('grant-bulk', 'j1'), await together.ledger.take('revoke-bulk', 'j2')];
  expect(chunks.map((chunk) => chunk?.names)).toEqual([
    ['bobby_longer.name-90', 'carl', 'emil', 'fred', 'gina'],
    ['ann', 'dora'],
  ]);
});

test('a status narrows the pages and every page leads on until the end', async () => {
  const t = await openTestLedger(redis);
  await store(t, 0, 120);
  await t.settle('user7', 'w', await t.arm('user7', 'w'), { result: 'applied', target: LIFE });
  const found = await t.ledger.listAccess(SCRIPT, null, 50, 'settled');
  expect(found).toMatchObject({ items: [{ username: 'user7', last: 'granted' }], next: null });
});

test('a record of a newer format is an error and is not overwritten', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'));
  const [key = ''] = await keysOf(t, `rec:${SCRIPT}`);
  const packed = (await redis.hgetBuffer(key, 'ann')) as Buffer;
  packed[0] = 2;
  await redis.hset(key, 'ann', packed);
  await expect(t.submit('b', revoke('ann'))).rejects.toMatchObject({
    code: 'script_failed',
    message: expect.stringContaining('newer'),
  });
  await expect(t.ledger.claim(SCRIPT, ['ann'], 'w', PERMITS)).rejects.toMatchObject({ code: 'script_failed' });
  expect(await redis.hgetBuffer(key, 'ann')).toEqual(packed);
});

test('turns: parts of a lane alternate chunk by chunk, whatever their size', async () => {
  const t = await openTestLedger(redis);
  await t.submit('big', ...names(0, 150).map(life));
  await t.submit('small', life('ann'));
  const sizes = [];
  for (const job of ['j1', 'j2', 'j3', 'j4']) sizes.push((await t.ledger.take('grant-bulk', job))?.names.length);
  expect(sizes).toEqual([50, 1, 50, 50]);
  expect(await t.ledger.take('grant-bulk', 'j5')).toBeNull();
});

test('a chunk that is put back goes to the head of its turn, and only its holder can close it', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', ...names(0, 100).map(life));
  const first = await t.ledger.take('grant-bulk', 'j1');
  expect(await t.ledger.takenChunks('grant-bulk')).toEqual([{ job: 'j1', chunk: first?.id }]);
  expect(await t.ledger.putBack('grant-bulk', 'other', first?.id ?? '')).toBe(false);
  expect(await t.ledger.putBack('grant-bulk', 'j1', first?.id ?? '')).toBe(true);
  expect(await t.ledger.take('grant-bulk', 'j2')).toEqual(first);
  await t.ledger.close('grant-bulk', 'j1', first?.id ?? '');
  expect(await t.ledger.takenChunks('grant-bulk')).toEqual([{ job: 'j2', chunk: first?.id }]);
  await t.ledger.close('grant-bulk', 'j2', first?.id ?? '');
  expect(await t.ledger.takenChunks('grant-bulk')).toEqual([]);
});

test('a chunk of rows that does not follow the last one is a gap and nothing of it is written', async () => {
  const t = await openTestLedger(redis);
  const row = (n: number) => ({ row: n, script: SCRIPT, operation: life(`user${n}`) });
  expect(await t.ledger.submit(batchRef('a'), 0, [row(1), row(3)])).toMatchObject({ status: 'taken' });
  expect(await t.ledger.submit(batchRef('a'), 5, [row(6)])).toEqual({ status: 'gap', watermark: 3 });
  expect(await t.ledger.submit(batchRef('a'), 0, [row(1), row(6)])).toEqual({ status: 'gap', watermark: 3 });
  expect(await t.ledger.readAccess(SCRIPT, ['user6'])).toEqual([null]);
  expect(await t.ledger.submit(batchRef('a'), 1, [row(3), row(6)])).toMatchObject({ status: 'taken' });
  expect(await t.part('a')).toMatchObject({ total: 3, watermark: 6 });
});

test('the thirty-third extension that waits for one access is refused, also when its chunk is sent again', async () => {
  const t = await openTestLedger(redis);
  const rows = Array.from({ length: 33 }, (_, i) => ({ row: i + 1, script: SCRIPT, operation: extend('ann', 1) }));
  expect(await t.ledger.submit(batchRef('a'), 0, rows)).toMatchObject({ status: 'taken', refused: [33] });
  expect(await t.ledger.submit(batchRef('a'), 0, rows)).toMatchObject({ status: 'taken', refused: [33] });
  expect((await t.record('ann')).chain).toHaveLength(32);
  expect(await t.part('a')).toMatchObject({ total: 32, pending: 32 });
});

test('a key that is due goes to a single lane when anything in its chain is single', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  const single = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
  await t.ledger.submit(single, 0, [{ row: 1, script: SCRIPT, operation: extend('ann', 2) }]);
  await t.arm('ann', 'w');
  await t.pass(20_000);
  expect((await t.ledger.sweepDue(10)).bells).toEqual({ grant: 1 });
});

test('the id of a single operation is published on the settled channel when it settles', async () => {
  const t = await openTestLedger(redis);
  const listener = redis.duplicate();
  try {
    await listener.subscribe(t.ledger.settledChannel);
    const heard = new Promise((resolve) => listener.once('message', (_channel, id) => resolve(id)));
    const single = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
    await t.ledger.submit(single, 0, [{ row: 1, script: SCRIPT, operation: life('ann') }]);
    await t.settle('ann', 'w', await t.arm('ann', 'w'), { result: 'applied', target: LIFE });
    expect(await heard).toBe('op');
    expect(await t.part('op')).toMatchObject({ pending: 0, operation: { username: 'ann', outcome: 'granted' } });
  } finally {
    listener.disconnect();
  }
});

test('the submit of a single operation answers the access as it has left it, and not again when it is sent again', async () => {
  const t = await openTestLedger(redis);
  const single = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
  const rows = [{ row: 1, script: SCRIPT, operation: extend('Ann', 1) }];
  await t.submit('a', life('ann'));
  const first = await t.ledger.submit(single, 0, rows);
  expect(first).toMatchObject({ status: 'taken', record: await t.record('ann') });
  expect(await t.ledger.submit(single, 0, rows)).toMatchObject({ status: 'taken', record: null });
  expect(await t.submit('b', life('bob'))).toMatchObject({ record: null });
});
