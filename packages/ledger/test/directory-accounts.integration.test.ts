import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { activate, commandsOf, config, openTestDirectory, script } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

describe('putting an account', () => {
  test('creates it parked for want of cookies, then replaces its configuration', async () => {
    const { directory } = openTestDirectory(redis);
    const first = await directory.accounts.put('acme', config(script(1)));
    expect(first).toMatchObject({
      created: true,
      account: {
        ...config(script(1)),
        id: 'acme',
        state: 'parked',
        reason: 'session_missing',
        session: { state: 'unknown', checkedAt: null, postedAt: null },
      },
    });
    const second = await directory.accounts.put('acme', { ...config(script(2)), maxInFlight: 3 });
    expect(second).toMatchObject({
      created: false,
      account: { scripts: [script(2)], maxInFlight: 3, state: 'parked' },
    });
    expect(second.account.revision).toBeGreaterThan(first.account.revision);
    expect(await directory.accounts.get('acme')).toEqual(second.account);
    expect(await directory.accounts.list()).toEqual([second.account]);
  });

  test('keeps state and session', async () => {
    const { directory } = openTestDirectory(redis);
    await activate(directory, 'acme', script(1));
    const { account } = await directory.accounts.put('acme', config(script(1), script(2)));
    expect(account).toMatchObject({ state: 'active', reason: null, session: { state: 'ok' } });
  });

  test('keeps a script named twice once', async () => {
    const { directory } = openTestDirectory(redis);
    const { account } = await directory.accounts.put('acme', config(script(1), script(1)));
    expect(account.scripts).toEqual([script(1)]);
  });

  test('refuses a script of another account and names both, and writes nothing', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await expect(directory.accounts.put('other', config(script(2), script(1)))).rejects.toMatchObject({
      name: 'DirectoryError',
      code: 'SCRIPT_TAKEN',
      script: script(1),
      account: 'acme',
    });
    expect(await directory.accounts.get('other')).toBeNull();
    expect(await directory.scripts.resolve(script(2))).toBeNull();
  });

  test('gives a contested script to exactly one of many that put it at once', async () => {
    const { directory } = openTestDirectory(redis);
    const ids = Array.from({ length: 8 }, (_, i) => `account-${i}`);
    const puts = await Promise.allSettled(ids.map((id) => directory.accounts.put(id, config(script(1)))));
    expect(puts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await directory.accounts.list()).toHaveLength(1);
  });

  test('lets a script go that is no longer named', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1), script(2)));
    await directory.accounts.put('acme', config(script(2)));
    await directory.accounts.put('other', config(script(1)));
    expect(await directory.scripts.resolve(script(1))).toEqual({ account: 'other', index: 1 });
  });
});

describe('indexes of scripts', () => {
  test('count up inside an account and stay with their script', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1), script(2)));
    await directory.accounts.put('other', config(script(3)));
    await directory.accounts.put('acme', config(script(4), script(2), script(1)));
    expect(new Map(await directory.scripts.all())).toEqual(
      new Map([
        [script(1), { account: 'acme', index: 1 }],
        [script(2), { account: 'acme', index: 2 }],
        [script(3), { account: 'other', index: 1 }],
        [script(4), { account: 'acme', index: 3 }],
      ]),
    );
  });

  test('are never given again, not to the same script, and not after the account was removed', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.accounts.put('acme', config(script(2)));
    await directory.accounts.put('acme', config(script(1)));
    expect(await directory.scripts.resolve(script(1))).toEqual({ account: 'acme', index: 3 });
    await directory.accounts.remove('acme');
    await directory.accounts.put('acme', config(script(1)));
    expect(await directory.scripts.resolve(script(1))).toEqual({ account: 'acme', index: 4 });
  });

  test('can be named for ever', async () => {
    const { directory, another } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.accounts.put('acme', config(script(2)));
    expect(await directory.scripts.nameOf('acme', 1)).toBe(script(1));
    await directory.accounts.remove('acme');
    expect(await another().scripts.nameOf('acme', 1)).toBe(script(1));
    expect(await another().scripts.nameOf('acme', 2)).toBe(script(2));
    expect(await directory.scripts.nameOf('acme', 3)).toBeNull();
    expect(await directory.scripts.nameOf('other', 1)).toBeNull();
  });
});

describe('removing an account', () => {
  test('removes its session, routes and place in the queue of sweeps, once', async () => {
    const { directory } = openTestDirectory(redis);
    await activate(directory, 'acme', script(1));
    await directory.due.mark('acme', 1);
    expect(await directory.accounts.remove('acme')).toBe(true);
    expect(await directory.accounts.remove('acme')).toBe(false);
    expect(await directory.accounts.get('acme')).toBeNull();
    expect(await directory.accounts.list()).toEqual([]);
    expect(await directory.scripts.resolve(script(1))).toBeNull();
    expect(await directory.sessions.get('acme')).toBeNull();
    expect(await directory.due.ready(10, 10)).toEqual([]);
    const again = await directory.accounts.put('acme', config(script(1)));
    expect(again).toMatchObject({ created: true, account: { state: 'parked', session: { postedAt: null } } });
  });

  test('never takes a revision back', async () => {
    const { directory } = openTestDirectory(redis);
    const { account } = await directory.accounts.put('acme', config(script(1)));
    await directory.accounts.remove('acme');
    const again = await directory.accounts.put('acme', config(script(1)));
    expect(again.account.revision).toBeGreaterThan(account.revision);
  });
});

describe('moving an account to a state', () => {
  test('happens only from a state that the caller named', async () => {
    const { directory } = openTestDirectory(redis);
    await activate(directory, 'acme', script(1));
    const paused = await directory.accounts.setState('acme', 'paused', 'operator', ['active', 'parked']);
    expect(paused).toMatchObject({ state: 'paused', reason: 'operator' });
    expect(await directory.accounts.setState('acme', 'parked', 'late', ['active'])).toEqual(paused);
    expect(await directory.accounts.setState('acme', 'active', null)).toMatchObject({ state: 'active', reason: null });
  });

  test('happens once when many ask at the same time', async () => {
    const { directory } = openTestDirectory(redis);
    await activate(directory, 'acme', script(1));
    const reasons = ['a', 'b', 'c', 'd'];
    const seen = await Promise.all(
      reasons.map((reason) => directory.accounts.setState('acme', 'parked', reason, ['active'])),
    );
    expect(new Set(seen.map((account) => account?.reason)).size).toBe(1);
  });

  test('leaves an account without cookies parked', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.accounts.setState('acme', 'paused', 'operator');
    expect(await directory.accounts.setState('acme', 'active', null)).toMatchObject({
      state: 'parked',
      reason: 'session_missing',
    });
  });

  test('answers null for an account that is not there', async () => {
    const { directory } = openTestDirectory(redis);
    expect(await directory.accounts.setState('acme', 'paused', null)).toBeNull();
    expect(await directory.accounts.setSession('acme', 'ok', 1)).toBeNull();
    expect(await directory.accounts.get('acme')).toBeNull();
  });
});

describe('routes', () => {
  test('cost no call to Redis while they are two seconds old', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    time.now += 2_000;
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(1)))).toBe(0);
    time.now += 1;
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(1)))).toBe(1);
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(1)))).toBe(0);
  });

  test('are read once for all that wait', async () => {
    const { directory, time, another } = openTestDirectory(redis);
    await another().accounts.put('acme', config(script(1)));
    time.now += 10_000;
    const resolves = () => Promise.all(Array.from({ length: 50 }, () => directory.scripts.resolve(script(1))));
    expect(await commandsOf(redis, resolves)).toBeLessThanOrEqual(2);
  });

  test('follow another process: a new script at once, a removed one after two seconds', async () => {
    const { directory, time, another } = openTestDirectory(redis);
    const elsewhere = another();
    await directory.accounts.put('acme', config(script(1)));
    await elsewhere.accounts.put('acme', config(script(2)));
    expect(await directory.scripts.resolve(script(2))).toEqual({ account: 'acme', index: 2 });
    await elsewhere.accounts.put('acme', config(script(3)));
    expect(await directory.scripts.resolve(script(2))).not.toBeNull();
    time.now += 2_001;
    expect(await directory.scripts.resolve(script(2))).toBeNull();
  });

  test('ask once a second for one that does not exist, without hiding another new one', async () => {
    const { directory, time, another } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    expect(await directory.scripts.resolve(script(9))).toBeNull();
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(9)))).toBe(0);
    await another().accounts.put('other', config(script(2)));
    expect(await directory.scripts.resolve(script(2))).toEqual({ account: 'other', index: 1 });
    time.now += 1_000;
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(9)))).toBe(1);
  });

  test('are known to the process that put them, though a read was under way', async () => {
    const { directory, time } = openTestDirectory(redis);
    time.now += 5_000;
    const before = directory.scripts.all();
    const [{ account }] = await Promise.all([directory.accounts.put('acme', config(script(1))), before]);
    expect(await directory.accounts.list()).toEqual([account]);
    expect(await commandsOf(redis, () => directory.scripts.resolve(script(1)))).toBe(0);
  });
});

test('accounts are listed by id, as another process left them', async () => {
  const { directory, another } = openTestDirectory(redis);
  const elsewhere = another();
  for (const [n, id] of ['mid', 'alpha', 'zeta'].entries()) await elsewhere.accounts.put(id, config(script(n)));
  expect((await directory.accounts.list()).map(({ id }) => id)).toEqual(['alpha', 'mid', 'zeta']);
  await elsewhere.accounts.setState('mid', 'paused', 'operator');
  expect((await directory.accounts.list()).map(({ state }) => state)).toEqual(['parked', 'paused', 'parked']);
});

test('accounts that have not changed are not sent again', async () => {
  const { directory, another } = openTestDirectory(redis);
  await directory.accounts.put('acme', config(script(1)));
  const before = await directory.accounts.list();
  expect(await directory.accounts.list()).toBe(before);
  await another().accounts.setState('acme', 'paused', 'operator');
  expect(await directory.accounts.list()).not.toBe(before);
});

describe('sweeps', () => {
  test('are due at the earliest time marked, in order of time', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.due.mark('late', 300);
    await directory.due.mark('early', 200);
    await directory.due.mark('early', 100);
    await directory.due.mark('early', 250);
    expect(await directory.due.ready(99, 10)).toEqual([]);
    expect(await directory.due.ready(100, 10)).toEqual(['early']);
    expect(await directory.due.ready(300, 10)).toEqual(['early', 'late']);
    expect(await directory.due.ready(300, 1)).toEqual(['early']);
  });

  test('can be set later, or not at all', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.due.mark('acme', 100);
    await directory.due.set('acme', 500);
    expect(await directory.due.ready(499, 10)).toEqual([]);
    await directory.due.mark('acme', 300);
    expect(await directory.due.ready(300, 10)).toEqual(['acme']);
    await directory.due.set('acme', null);
    expect(await directory.due.ready(1_000, 10)).toEqual([]);
  });
});
