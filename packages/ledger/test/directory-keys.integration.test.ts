import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test, vi } from 'vitest';
import { ADMIN_KEY, commandsOf, dump, openTestDirectory } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

describe('an API key', () => {
  test('is verified by its secret and by nothing near it', async () => {
    const { directory, time } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['read', 'write', 'read']);
    expect(key).toEqual({
      id: key.id,
      name: 'shop',
      scopes: ['read', 'write'],
      createdAt: time.now,
      expiresAt: null,
      ratePerSecond: null,
    });
    expect(await directory.keys.verify(secret)).toEqual(key);
    const last = secret.at(-1) === 'A' ? 'B' : 'A';
    for (const wrong of ['', key.id, secret.slice(0, -1), secret.slice(0, -1) + last, secret.toUpperCase()]) {
      expect(await directory.keys.verify(wrong)).toBeNull();
    }
  });

  test('of another key’s id does not pass', async () => {
    const { directory } = openTestDirectory(redis);
    const one = await directory.keys.create('one', ['read']);
    const two = await directory.keys.create('two', ['admin']);
    expect(await directory.keys.verify(one.secret.replace(one.key.id, two.key.id))).toBeNull();
  });

  test('is known at once to another process', async () => {
    const { directory, another } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['write']);
    expect(await another().keys.verify(secret)).toEqual(key);
  });

  test('costs no call to Redis for five seconds, and one for all that ask after that', async () => {
    const { directory, time } = openTestDirectory(redis);
    const { secret } = await directory.keys.create('shop', ['write']);
    await directory.keys.verify(secret);
    time.now += 4_999;
    expect(await commandsOf(redis, () => directory.keys.verify(secret))).toBe(0);
    time.now += 1;
    const many = () => Promise.all(Array.from({ length: 20 }, () => directory.keys.verify(secret)));
    expect(await commandsOf(redis, many)).toBe(1);
  });

  test('that is removed is refused here at once and elsewhere within five seconds', async () => {
    const { directory, time, another } = openTestDirectory(redis);
    const elsewhere = another();
    const { key, secret } = await directory.keys.create('shop', ['write']);
    await elsewhere.keys.verify(secret);
    await directory.keys.verify(secret);
    expect(await directory.keys.remove(key.id)).toBe(true);
    expect(await directory.keys.remove(key.id)).toBe(false);
    expect(await directory.keys.verify(secret)).toBeNull();
    time.now += 5_000;
    expect(await elsewhere.keys.verify(secret)).toBeNull();
  });

  test('is asked for again after a failure', async () => {
    const { directory } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['write']);
    const outage = vi.spyOn(redis, 'hget').mockRejectedValueOnce(new Error('no connection'));
    await expect(directory.keys.verify(secret)).rejects.toThrow('no connection');
    outage.mockRestore();
    expect(await directory.keys.verify(secret)).toEqual(key);
  });
});

test('keys are listed oldest first, without secrets and without the bootstrap key', async () => {
  const { directory, time } = openTestDirectory(redis);
  const one = await directory.keys.create('one', ['read']);
  time.now += 1;
  const two = await directory.keys.create('two', ['write']);
  const unused = { lastUsedAt: null, overlapUntil: null };
  expect(await directory.keys.list()).toEqual([
    { ...one.key, ...unused },
    { ...two.key, ...unused },
  ]);
});

describe('the bootstrap key', () => {
  test('has all scopes, costs no call and cannot be removed', async () => {
    const { directory } = openTestDirectory(redis);
    const admin = {
      id: 'admin',
      name: 'admin',
      scopes: ['read', 'write', 'admin'],
      createdAt: 0,
      expiresAt: null,
      ratePerSecond: null,
    };
    expect(await commandsOf(redis, () => directory.keys.verify(ADMIN_KEY))).toBe(0);
    expect(await directory.keys.verify(ADMIN_KEY)).toEqual(admin);
    expect(await directory.keys.remove('admin')).toBe(false);
    expect(await directory.keys.verify(ADMIN_KEY)).toEqual(admin);
    expect(await directory.keys.verify(`${ADMIN_KEY} `)).toBeNull();
  });

  test('does not exist where none is configured', async () => {
    const { another } = openTestDirectory(redis);
    const directory = another({ adminKey: undefined });
    expect(await directory.keys.verify(ADMIN_KEY)).toBeNull();
    expect(await directory.keys.verify('')).toBeNull();
    expect(await directory.keys.verify('undefined')).toBeNull();
  });
});

test('a directory that was closed remembers no key', async () => {
  const { directory } = openTestDirectory(redis);
  const { secret } = await directory.keys.create('shop', ['write']);
  await directory.keys.verify(secret);
  directory.close();
  expect(await commandsOf(redis, () => directory.keys.verify(secret))).toBe(1);
});

describe('a rotated key', () => {
  test('opens with both secrets until the overlap is over, and keeps its id, scopes and limit', async () => {
    const { directory, time, another } = openTestDirectory(redis);
    const old = await directory.keys.create('shop', ['write'], { ratePerSecond: 7 });
    const rotated = await directory.keys.rotate(old.key.id, 60_000);
    expect(rotated?.key).toEqual(old.key);
    expect(rotated?.secret).not.toBe(old.secret);
    expect((await directory.keys.list())[0]?.overlapUntil).toBe(time.now + 60_000);
    for (const secret of [old.secret, rotated?.secret ?? '']) {
      expect(await another().keys.verify(secret)).toEqual(old.key);
    }
    time.now += 60_000;
    expect(await directory.keys.verify(old.secret)).toBeNull();
    expect(await directory.keys.verify(rotated?.secret ?? '')).toEqual(old.key);
    expect((await directory.keys.list())[0]?.overlapUntil).toBeNull();
  });

  test('without an overlap ends the old secret at once, and rotated twice the oldest one', async () => {
    const { directory } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['write']);
    const second = await directory.keys.rotate(key.id, 60_000);
    await directory.keys.rotate(key.id, 60_000);
    expect(await directory.keys.verify(secret)).toBeNull();
    expect(await directory.keys.verify(second?.secret ?? '')).toEqual(key);
    await directory.keys.rotate(key.id, 0);
    expect(await directory.keys.verify(second?.secret ?? '')).toBeNull();
    expect(await directory.keys.rotate('nobody', 0)).toBeNull();
  });

  test('is stored as hashes only', async () => {
    const { directory, ns } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['write']);
    const rotated = await directory.keys.rotate(key.id, 60_000);
    const stored = await dump(redis, ns);
    for (const text of [secret, rotated?.secret ?? '']) expect(stored).not.toContain(text.slice(-43));
  });
});

test('a key that has expired does not verify, and does again when its expiry is moved', async () => {
  const { directory, time } = openTestDirectory(redis);
  const { key, secret } = await directory.keys.create('shop', ['write'], { expiresAt: time.now + 1_000 });
  expect(await directory.keys.verify(secret)).toEqual(key);
  time.now += 1_000;
  expect(await directory.keys.verify(secret)).toBeNull();
  const settings = { name: 'shop 2', scopes: ['read'] as const, expiresAt: null, ratePerSecond: 5 };
  expect(await directory.keys.change(key.id, settings)).toEqual({ ...key, ...settings });
  expect(await directory.keys.verify(secret)).toEqual({ ...key, ...settings });
  expect(await directory.keys.change('nobody', settings)).toBeNull();
});

test('the last use of a key is noted to the minute, and forgotten with the key', async () => {
  const { directory, time } = openTestDirectory(redis);
  const { key, secret } = await directory.keys.create('shop', ['write']);
  const lastUsed = async () => (await directory.keys.list())[0]?.lastUsedAt;
  expect(await lastUsed()).toBeNull();
  await directory.keys.verify(`${secret.slice(0, -1)}!`);
  expect(await lastUsed()).toBeNull();
  const first = time.now;
  await directory.keys.verify(secret);
  expect(await lastUsed()).toBe(first);
  time.now += 59_999;
  await directory.keys.verify(secret);
  expect(await lastUsed()).toBe(first);
  time.now += 1;
  await directory.keys.verify(secret);
  expect(await lastUsed()).toBe(time.now);
  await directory.keys.remove(key.id);
  expect(await directory.keys.list()).toEqual([]);
});
