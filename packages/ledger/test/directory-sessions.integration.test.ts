import { randomBytes } from 'node:crypto';
import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { ADMIN_KEY, activate, config, dump, openTestDirectory, SECRET_KEY, script } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const COOKIES = { sessionid: 'canary-sessionid', sessionidSign: 'canary-sign' };

describe('cookies', () => {
  test('come back as they were posted, with the time that names them', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    const posted = await directory.sessions.put('acme', COOKIES);
    expect(posted).toMatchObject({
      state: 'parked',
      reason: 'session_unchecked',
      session: { state: 'unknown', checkedAt: null, postedAt: time.now },
    });
    expect(await directory.sessions.get('acme')).toEqual({ cookies: COOKIES, postedAt: time.now });
  });

  test('of an account that is not there are neither stored nor found', async () => {
    const { directory, ns } = openTestDirectory(redis);
    expect(await directory.sessions.put('acme', COOKIES)).toBeNull();
    expect(await directory.sessions.get('acme')).toBeNull();
    expect(await dump(redis, ns)).toBe('');
  });

  test('posted twice in one millisecond have two names', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.sessions.put('acme', COOKIES);
    const second = await directory.sessions.put('acme', { sessionid: 'second', sessionidSign: null });
    expect(second?.session.postedAt).toBe(time.now + 1);
    expect(await directory.sessions.get('acme')).toEqual({
      cookies: { sessionid: 'second', sessionidSign: null },
      postedAt: time.now + 1,
    });
  });

  test('do not open for another account', async () => {
    const { directory, ns } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.accounts.put('other', config(script(2)));
    await directory.sessions.put('acme', COOKIES);
    const sessions = `{${ns}}:sessions`;
    await redis.hset(sessions, 'other', (await redis.hget(sessions, 'acme')) ?? '');
    await expect(directory.sessions.get('other')).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG', account: 'other' });
  });

  test('open under the previous key, and from then on without it', async () => {
    const { directory, another } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.sessions.put('acme', COOKIES);
    const secretKey = randomBytes(32);
    await expect(another({ secretKey }).sessions.get('acme')).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });
    const rotated = another({ secretKey, previousSecretKey: SECRET_KEY });
    expect((await rotated.sessions.get('acme'))?.cookies).toEqual(COOKIES);
    expect((await another({ secretKey }).sessions.get('acme'))?.cookies).toEqual(COOKIES);
  });

  test('posted while the old ones are sealed anew are not lost', async () => {
    const { directory, another } = openTestDirectory(redis);
    await directory.accounts.put('acme', config(script(1)));
    await directory.sessions.put('acme', COOKIES);
    const rotated = another({ secretKey: randomBytes(32), previousSecretKey: SECRET_KEY });
    const fresh = { sessionid: 'fresh', sessionidSign: null };
    await Promise.all([rotated.sessions.get('acme'), rotated.sessions.put('acme', fresh)]);
    expect((await rotated.sessions.get('acme'))?.cookies).toEqual(fresh);
  });
});

describe('a session check', () => {
  test('that is good makes a parked account active', async () => {
    const { directory, time } = openTestDirectory(redis);
    const postedAt = await activate(directory, 'acme', script(1));
    expect(await directory.accounts.get('acme')).toMatchObject({
      state: 'active',
      reason: null,
      session: { state: 'ok', checkedAt: time.now, postedAt },
    });
  });

  test('that is bad parks an active account, and fresh cookies bring it back', async () => {
    const { directory, time } = openTestDirectory(redis);
    const postedAt = await activate(directory, 'acme', script(1));
    const dead = await directory.accounts.setSession('acme', 'dead', postedAt);
    expect(dead?.account).toMatchObject({ state: 'parked', reason: 'session_dead', session: { state: 'dead' } });
    expect(dead?.moved).toBe(true);
    expect((await directory.accounts.setSession('acme', 'dead', postedAt))?.moved).toBe(false);
    time.now += 1_000;
    const posted = await directory.sessions.put('acme', COOKIES);
    expect(posted).toMatchObject({ state: 'parked', reason: 'session_unchecked', session: { state: 'unknown' } });
    expect(await directory.accounts.setSession('acme', 'ok', time.now)).toMatchObject({
      account: { state: 'active', reason: null },
      moved: true,
    });
  });

  test('of cookies that have been replaced changes nothing', async () => {
    const { directory, time } = openTestDirectory(redis);
    const old = await activate(directory, 'acme', script(1));
    time.now += 1_000;
    const posted = await directory.sessions.put('acme', COOKIES);
    expect(await directory.accounts.setSession('acme', 'dead', old)).toEqual({ account: posted, moved: false });
    expect(await directory.accounts.get('acme')).toEqual(posted);
  });

  test('never ends an operator’s pause', async () => {
    const { directory } = openTestDirectory(redis);
    const postedAt = await activate(directory, 'acme', script(1));
    await directory.accounts.setState('acme', 'paused', 'operator');
    for (const state of ['dead', 'ok'] as const) {
      expect(await directory.accounts.setSession('acme', state, postedAt)).toMatchObject({
        account: { state: 'paused', reason: 'operator', session: { state } },
        moved: false,
      });
    }
  });
});

test('neither a cookie nor a key stands in any value or name in Redis', async () => {
  const { directory, ns } = openTestDirectory(redis);
  await activate(directory, 'acme', script(1));
  await directory.sessions.put('acme', COOKIES);
  await directory.sessions.get('acme');
  const { key, secret } = await directory.keys.create('shop', ['write']);
  await directory.keys.verify(secret);
  await directory.keys.verify(ADMIN_KEY);
  await directory.batches.create('batch', key.id);
  await directory.idempotency.begin(`${key.id} POST /v1/batches`, 'client-key', 'hash', 'batch');
  const stored = await dump(redis, ns);
  expect(stored).toContain(key.id);
  const random = secret.slice(`pg_${key.id}_`.length);
  for (const canary of ['canary', random, ADMIN_KEY, 'client-key']) expect(stored).not.toContain(canary);
  for (const canary of ['canary-sessionid', random, ADMIN_KEY]) {
    for (const encoding of ['base64url', 'hex'] as const) {
      expect(stored).not.toContain(Buffer.from(canary).toString(encoding).slice(0, 16));
    }
  }
});

test('all sessions are sealed anew at once, after which the previous key opens nothing', async () => {
  const { directory, another } = openTestDirectory(redis);
  for (const id of ['one', 'two']) await activate(directory, id);
  const secretKey = randomBytes(32);
  const both = another({ secretKey, previousSecretKey: SECRET_KEY });
  expect([...(await both.sessions.reseal())].sort()).toEqual(['one', 'two']);
  expect(await both.sessions.reseal()).toEqual([]);
  expect((await another({ secretKey }).sessions.get('two'))?.cookies.sessionid).toBe('cookie');
  await expect(directory.sessions.get('one')).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });
});
