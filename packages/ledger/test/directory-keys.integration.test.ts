import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test, vi } from 'vitest';
import { ADMIN_KEY, commandsOf, openTestDirectory } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

describe('an API key', () => {
  test('is verified by its secret and by nothing near it', async () => {
    const { directory, time } = openTestDirectory(redis);
    const { key, secret } = await directory.keys.create('shop', ['read', 'write', 'read']);
    expect(key).toEqual({ id: key.id, name: 'shop', scopes: ['read', 'write'], createdAt: time.now });
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
  expect(await directory.keys.list()).toEqual([one.key, two.key]);
});

describe('the bootstrap key', () => {
  test('has all scopes, costs no call and cannot be removed', async () => {
    const { directory } = openTestDirectory(redis);
    const admin = { id: 'admin', name: 'admin', scopes: ['read', 'write', 'admin'], createdAt: 0 };
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
