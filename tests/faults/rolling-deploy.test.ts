import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type TestProcess, waitFor } from '@pinegate/testing';
import { afterEach, expect, test } from 'vitest';
import { contestedRows, grants } from './contested.ts';
import { type FaultStack, openFaultStack, PATIENT, SCRIPT } from './open-fault-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let stack: FaultStack | undefined;
let dir: string | undefined;

afterEach(async () => {
  await stack?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
  stack = undefined;
});

/** About so often a single grant is sent, ms: a load that eight starting workers leave two cores some time for. */
const GRANT_EVERY_MS = 50;

/** One grant after another, until told to stop. */
function keepGranting(to: FaultStack): () => Promise<void> {
  let going = true;
  const run = (async () => {
    for (let i = 0; going; i += 1) {
      await to.send(SCRIPT, `meanwhile_${i}`, { kind: 'set', expiresAt: null });
      await pause(GRANT_EVERY_MS);
    }
  })();
  return async () => {
    going = false;
    await run;
  };
}

/** Jobs that workers found stalled, the stopped ones among them. */
function stalledJobs({ workers }: FaultStack): string[] {
  return workers.flatMap(({ lines }) => lines.filter((line) => line.includes('a job stalled')));
}

test('workers from 1 to 8 to 1 and everything restarted under load: no request refused, nothing failed, stalled or lost', async () => {
  // The app itself: nobody dies here, and with the short lock of the other tests a job would count as stalled whose worker waits for a core.
  const opened = await openFaultStack('rolling', { workers: 1, env: PATIENT, workerMain: 'apps/worker/src/main.ts' });
  stack = opened;
  await opened.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 60] } });
  await opened.api.stop();
  await opened.startApi({ env: { PROCESSES: '2' } });
  const stopGranting = keepGranting(opened);

  // Each step has a batch under way of its own.
  const batches = [await opened.sendBatch(contestedRows('up', 100, 300))];
  // One after another, as a deployment scales, and the cores have time for the others.
  for (let more = 0; more < 7; more += 1) await opened.startWorker();

  batches.push(await opened.sendBatch(contestedRows('down', 100, 300)));
  const last = opened.workers.at(-1) as TestProcess;
  const stopped = opened.workers.slice(0, -1);
  const exits = await Promise.all(stopped.map((worker) => worker.stop(120_000)));
  expect(exits).toEqual(stopped.map(() => ({ code: 0, signal: null })));

  batches.push(await opened.sendBatch(contestedRows('rolled', 100, 300)));
  opened.api.signal('SIGHUP');
  await opened.startWorker();
  expect(await last.stop(120_000)).toEqual({ code: 0, signal: null });
  const replaced = () => opened.api.lines.filter((line) => line.includes('a process was replaced')).length === 2;
  await waitFor(replaced, { what: 'both processes of the api to be replaced', withinMs: 120_000 });

  for (const batch of batches) await opened.drained(batch);
  await stopGranting();
  expect(opened.resent).toEqual([]);
  await opened.expectRight();
  for (const batch of batches) {
    const body = await opened.read(`/v1/batches/${batch}`);
    expect(body).toMatchObject({ pending: 0, outcomes: { failed: 0, rejected: 0 } });
  }
  expect(stalledJobs(opened)).toEqual([]);
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
  await opened.workers[0]?.stop(120_000);
  await opened.expectRight();
  for (const id of [first, second]) {
    const body = await opened.read(`/v1/batches/${id}`);
    expect(body).toMatchObject({ pending: 0, outcomes: { failed: 0, rejected: 0 } });
  }
});
