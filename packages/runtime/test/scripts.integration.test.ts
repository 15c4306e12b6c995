import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomNamespace, startTestRedis } from '@pinegate/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { closeRedis, createScripts, openRedis, type Redis, redisReady } from '../src/index.ts';

const dir = new URL('./fixtures/lua', import.meta.url);
const key = `{${randomNamespace()}}`;
let redis: Redis;

beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'producer');
  await redisReady(redis);
});
afterAll(() => closeRedis(redis));

it('runs a script with its includes, each once, and the time of Redis', async () => {
  const scripts = createScripts(dir);
  const before = Date.now();
  const answer = await scripts.run(redis, 'touch', [key], [0]);
  expect(answer).toBeGreaterThanOrEqual(before - 1_000);
  expect(await redis.get(key)).toMatch(/^\d{13}$/);
});

it('replaces an included file', async () => {
  const scripts = createScripts(dir, { replace: { clock: 'local function now_ms() return 42 end' } });
  expect(await scripts.run(redis, 'touch', [key], [8])).toBe(50);
});

it('comes through when the server has never seen the script or has forgotten it, many calls at once', async () => {
  const own = await startTestRedis();
  const client = openRedis(own.url, 'shared');
  const scripts = createScripts(dir);
  const runAll = () => Promise.all(Array.from({ length: 50 }, (_, i) => scripts.run(client, 'echo', [key], [i])));
  const expected = Array.from({ length: 50 }, (_, i) => [key, String(i)]);
  expect(await runAll()).toEqual(expected);
  await client.script('FLUSH');
  expect(await runAll()).toEqual(expected);
  await closeRedis(client);
  await own.close();
});

it('passes numbers and bytes as they are', async () => {
  const answer = await createScripts(dir).run(redis, 'echo', [key], [1.5, Buffer.from('ü'), 'z']);
  expect(answer).toEqual([key, '1.5', 'ü', 'z']);
});

it('names the script and the code in an error that Redis answered', async () => {
  const failed = createScripts(dir).run(redis, 'fail', [key], ['STALE']);
  await expect(failed).rejects.toMatchObject({
    code: 'script_failed',
    script: 'fail',
    reply: 'STALE',
    message: expect.stringContaining('fail: STALE on purpose'),
  });
});

it('passes an error of the connection on as it is', async () => {
  const dead = openRedis('redis://127.0.0.1:1', 'producer');
  const failed = createScripts(dir).run(dead, 'echo', [key], []);
  await expect(failed).rejects.not.toHaveProperty('script');
  await closeRedis(dead);
});

it('refuses an unknown script, and an include that does not exist when it loads', async () => {
  await expect(createScripts(dir).run(redis, 'nothing', [key], [])).rejects.toMatchObject({
    code: 'script_not_loaded',
  });
  const broken = mkdtempSync(join(tmpdir(), 'pinegate-lua-'));
  writeFileSync(join(broken, 'a.lua'), '--!include nothing\nreturn 1');
  expect(() => createScripts(pathToFileURL(broken))).toThrow(expect.objectContaining({ script: 'nothing' }));
  rmSync(broken, { recursive: true });
});

it('reads the files of a directory once per process, however often they are opened', async () => {
  const made = mkdtempSync(join(tmpdir(), 'pinegate-lua-'));
  writeFileSync(join(made, 'one.lua'), 'return 1');
  const url = pathToFileURL(made);
  createScripts(url);
  rmSync(made, { recursive: true });
  expect(await createScripts(url).run(redis, 'one', [key], [])).toBe(1);
});
