import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test } from 'vitest';
import type { Directory, IdempotencyVerdict } from '../src/index.ts';
import { openTestDirectory, RETENTION_MS } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const SCOPE = 'key-1 POST /v1/batches';

function begin(directory: Directory, fingerprint: string | null, resource = 'res'): Promise<IdempotencyVerdict> {
  return directory.idempotency.begin(SCOPE, 'k', fingerprint, resource);
}

function leaseOf(verdict: IdempotencyVerdict): string {
  if (!('lease' in verdict)) throw new Error(`the verdict was ${verdict.verdict}`);
  return verdict.lease;
}

function finish(directory: Directory, lease: string, fingerprint = 'f1', body = '{"id":1}'): Promise<boolean> {
  return directory.idempotency.finish(SCOPE, 'k', lease, fingerprint, 202, body);
}

describe('a request under a new key', () => {
  test('is fresh; the same one again is busy while it runs, with the time left', async () => {
    const { directory, time } = openTestDirectory(redis);
    expect(await begin(directory, 'f1', 'res-1')).toEqual({
      verdict: 'fresh',
      lease: expect.stringMatching(/^.{36}$/),
      resource: 'res-1',
    });
    time.now += 4_000;
    expect(await begin(directory, 'f1', 'res-2')).toEqual({ verdict: 'busy', retryMs: 6_000 });
  });

  test('is fresh for exactly one of many that begin at once', async () => {
    const { directory, another } = openTestDirectory(redis);
    const begun = await Promise.all(
      Array.from({ length: 16 }, (_, i) => begin(i % 2 ? directory : another(), 'f1', `r${i}`)),
    );
    expect(begun.filter(({ verdict }) => verdict === 'fresh')).toHaveLength(1);
    expect(begun.filter(({ verdict }) => verdict === 'busy')).toHaveLength(15);
  });

  test('has nothing to do with the same key elsewhere', async () => {
    const { directory } = openTestDirectory(redis);
    await begin(directory, 'f1');
    for (const [scope, key] of [
      [SCOPE, 'other'],
      ['key-2 POST /v1/batches', 'k'],
      [`${SCOPE}k`, ''],
    ] as const) {
      expect(await directory.idempotency.begin(scope, key, 'f2', 'res')).toMatchObject({ verdict: 'fresh' });
    }
  });
});

describe('an answer', () => {
  test('is given to every request with the same body', async () => {
    const { directory, time } = openTestDirectory(redis);
    expect(await finish(directory, leaseOf(await begin(directory, 'f1')))).toBe(true);
    time.now += 3_600_000;
    const stored = { verdict: 'stored', status: 202, body: '{"id":1}', fingerprint: 'f1' };
    expect(await begin(directory, 'f1')).toEqual(stored);
    expect(await begin(directory, null)).toEqual(stored);
  });

  test('is refused to another body', async () => {
    const { directory } = openTestDirectory(redis);
    await finish(directory, leaseOf(await begin(directory, 'f1')));
    expect(await begin(directory, 'f2')).toEqual({ verdict: 'differs' });
  });

  test('is kept for the time of retention from when it was given', async () => {
    const { directory, ns } = openTestDirectory(redis);
    const lease = leaseOf(await begin(directory, 'f1'));
    const [key] = await redis.keys(`{${ns}}:idempotency:*`);
    await redis.pexpire(key ?? '', 60_000);
    await finish(directory, lease);
    expect(await redis.pttl(key ?? '')).toBeGreaterThan(RETENTION_MS - 60_000);
  });

  test('is given once: a second finish changes nothing', async () => {
    const { directory } = openTestDirectory(redis);
    const lease = leaseOf(await begin(directory, 'f1'));
    await finish(directory, lease);
    expect(await finish(directory, lease, 'f1', 'second')).toBe(false);
    expect(await begin(directory, 'f1')).toMatchObject({ body: '{"id":1}' });
    expect(await directory.idempotency.renew(SCOPE, 'k', lease)).toBe(false);
  });

  test('may be empty', async () => {
    const { directory } = openTestDirectory(redis);
    await finish(directory, leaseOf(await begin(directory, 'f1')), 'f1', '');
    expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'stored', body: '' });
  });
});

test('how many requests are kept is told to the hour, each once, until the time of retention has passed', async () => {
  const { directory, ns, time } = openTestDirectory(redis);
  const { idempotency } = directory;
  expect(await idempotency.kept()).toBe(0);
  await finish(directory, leaseOf(await begin(directory, 'f1')));
  await begin(directory, 'f1');
  await begin(directory, 'f2');
  await idempotency.begin(SCOPE, 'dies', 'f1', 'res');
  expect(await idempotency.kept()).toBe(2);
  time.now += RETENTION_MS / 2;
  await idempotency.begin(SCOPE, 'later', 'f1', 'res');
  expect(await idempotency.kept()).toBe(3);
  time.now += RETENTION_MS / 2 + 3_600_000;
  expect(await idempotency.kept()).toBe(1);
  await idempotency.begin(SCOPE, 'last', 'f1', 'res');
  expect(await redis.hlen(`{${ns}}:idempotency-hours`)).toBe(2);
});

describe('a request that died', () => {
  test('is resumed for its own resource once its lease has ended', async () => {
    const { directory, time } = openTestDirectory(redis);
    const first = leaseOf(await begin(directory, 'f1', 'res-1'));
    time.now += 9_999;
    expect(await begin(directory, 'f1', 'res-2')).toEqual({ verdict: 'busy', retryMs: 1 });
    time.now += 1;
    const resumed = await begin(directory, 'f1', 'res-2');
    expect(resumed).toMatchObject({ verdict: 'resume', resource: 'res-1' });
    expect(leaseOf(resumed)).not.toBe(first);
    expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'busy' });
  });

  test('is resumed by exactly one of many', async () => {
    const { directory, time } = openTestDirectory(redis);
    await begin(directory, 'f1');
    time.now += 10_000;
    const verdicts = await Promise.all(Array.from({ length: 8 }, () => begin(directory, 'f1')));
    expect(verdicts.filter(({ verdict }) => verdict === 'resume')).toHaveLength(1);
    expect(verdicts.filter(({ verdict }) => verdict === 'busy')).toHaveLength(7);
  });

  test('and comes back to life can neither answer, renew nor give up', async () => {
    const { directory, time } = openTestDirectory(redis);
    const dead = leaseOf(await begin(directory, 'f1'));
    time.now += 10_000;
    const alive = leaseOf(await begin(directory, 'f1'));
    expect(await directory.idempotency.renew(SCOPE, 'k', dead)).toBe(false);
    expect(await finish(directory, dead, 'f1', 'late')).toBe(false);
    await directory.idempotency.abandon(SCOPE, 'k', dead);
    expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'busy' });
    expect(await finish(directory, alive)).toBe(true);
    expect(await begin(directory, 'f1')).toMatchObject({ body: '{"id":1}' });
  });

  test('is not resumed by another body', async () => {
    const { directory, time } = openTestDirectory(redis);
    await begin(directory, 'f1');
    expect(await begin(directory, 'f2')).toEqual({ verdict: 'differs' });
    time.now += 10_000;
    expect(await begin(directory, 'f2')).toEqual({ verdict: 'differs' });
  });

  test('and only seems dead may still answer while nobody has resumed it', async () => {
    const { directory, time } = openTestDirectory(redis);
    const lease = leaseOf(await begin(directory, 'f1'));
    time.now += 60_000;
    expect(await directory.idempotency.renew(SCOPE, 'k', lease)).toBe(true);
    expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'busy' });
    time.now += 60_000;
    expect(await finish(directory, lease)).toBe(true);
  });
});

test('a lease lasts ten seconds from each renewal', async () => {
  const { directory, time } = openTestDirectory(redis);
  const lease = leaseOf(await begin(directory, 'f1'));
  for (let i = 0; i < 20; i += 1) {
    time.now += 3_000;
    expect(await directory.idempotency.renew(SCOPE, 'k', lease)).toBe(true);
  }
  time.now += 9_999;
  expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'busy' });
  time.now += 1;
  expect(await begin(directory, 'f1')).toMatchObject({ verdict: 'resume' });
});

test('what is given up is resumed at once, for the same resource', async () => {
  const { directory } = openTestDirectory(redis);
  await directory.idempotency.abandon(SCOPE, 'k', leaseOf(await begin(directory, 'f1', 'res-1')));
  expect(await begin(directory, 'f1', 'res-2')).toMatchObject({ verdict: 'resume', resource: 'res-1' });
});

describe('a stream, whose fingerprint is not known when it begins', () => {
  test('gives it when it has been read', async () => {
    const { directory } = openTestDirectory(redis);
    await finish(directory, leaseOf(await begin(directory, null)), 'f1');
    expect(await begin(directory, null)).toMatchObject({ verdict: 'stored', fingerprint: 'f1' });
    expect(await begin(directory, 'f2')).toEqual({ verdict: 'differs' });
  });

  test('may resume another stream', async () => {
    const { directory, time } = openTestDirectory(redis);
    await begin(directory, null, 'res-1');
    time.now += 10_000;
    const resumed = await begin(directory, null, 'res-2');
    expect(resumed).toMatchObject({ verdict: 'resume', resource: 'res-1' });
    expect(await finish(directory, leaseOf(resumed), 'f1')).toBe(true);
  });

  test('is refused at its end when it resumed a request with another body', async () => {
    const { directory, time } = openTestDirectory(redis);
    await begin(directory, 'f1');
    time.now += 10_000;
    const lease = leaseOf(await begin(directory, null));
    await expect(finish(directory, lease, 'f2')).rejects.toMatchObject({
      name: 'DirectoryError',
      code: 'BODY_DIFFERS',
    });
    expect(await finish(directory, lease, 'f1')).toBe(true);
  });
});
