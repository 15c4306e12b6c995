import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { contestedRows, grants } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let stack: FaultStack | undefined;
let dir: string | undefined;

afterEach(async () => {
  await stack?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
  stack = undefined;
});

test('an old worker beside a new one that writes a newer record format: nothing is lost, and nothing fails', async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinegate-newer-'));
  const lua = resolve(ROOT, 'packages/ledger/src/lua/record.lua');
  const text = await readFile(lua, 'utf8');
  const newer = text.replace('local FORMAT = 1', 'local FORMAT = 2').replace('format ~= FORMAT', 'format > FORMAT');
  expect(newer).not.toBe(text);
  const sources = join(dir, 'sources.json');
  await writeFile(sources, JSON.stringify({ [lua]: newer }));
  const asNewer = {
    NODE_OPTIONS: `--import ${resolve(ROOT, 'tests/storm/replace-sources.ts')}`,
    STORM_SOURCES: sources,
  };

  const opened = await openFaultStack('newer-format', { workers: 1 });
  stack = opened;
  await opened.startWorker({ env: asNewer });
  const first = await opened.sendBatch(grants('mixed', 200));
  await opened.drained(first);
  // Now the new worker's records are everywhere; the api of the new release takes over, the old worker is still there.
  await opened.api.stop();
  await opened.startApi({ env: asNewer });
  const second = await opened.sendBatch(contestedRows('mixed', 100, 200));
  await opened.drained(second);
  await opened.workers[0]?.stop(30_000);
  await opened.expectRight();
  for (const id of [first, second]) {
    const { body } = await opened.call('GET', `/v1/batches/${id}`);
    expect(body).toMatchObject({ pending: 0, outcomes: { failed: 0, rejected: 0 } });
  }
});
