import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProcess } from '@pinegate/testing';
import { afterEach, expect, test } from 'vitest';
import { contestedRows, grants } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let stack: FaultStack | undefined;
let dir: string | undefined;

afterEach(async () => {
  await stack?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
  stack = undefined;
});

/** Sums a counter over the workers that still run. */
async function sumOf(of: FaultStack, metric: string): Promise<number> {
  let sum = 0;
  for (const worker of of.workers) {
    const port = worker.lines.map((line) => /"port":(\d+),.*"worker ready"/.exec(line)?.[1]).find(Boolean);
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    for (const [, value] of text.matchAll(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))) sum += Number(value);
  }
  return sum;
}

/** One grant after another, until told to stop; whatever was not answered 202. */
function keepGranting(to: FaultStack, prefix: string): () => Promise<string[]> {
  let going = true;
  const bad: string[] = [];
  const run = (async () => {
    for (let i = 0; going; i += 1) {
      const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${prefix}_${i}`;
      const answer = await to.call('PUT', path, { body: { expiresAt: null } }).catch((error: Error) => error);
      if (answer instanceof Error) bad.push(String(answer.cause ?? answer));
      else if (answer.status !== 202) bad.push(`${answer.status} ${answer.body.code}`);
    }
  })();
  return async () => {
    going = false;
    await run;
    return bad;
  };
}

test('workers from 1 to 8 to 1 and everything restarted under load: no request refused, nothing failed, stalled or lost', async () => {
  // A worker drains for twice its request deadline.
  const patient = { REQUEST_DEADLINE_MS: '8000', CLAIM_LEASE_MS: '16000' };
  const opened = await openFaultStack('rolling', { workers: 1, env: { ...patient, PROCESSES: '2' } });
  stack = opened;
  await opened.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 60] } });
  const batch = await opened.sendBatch(contestedRows('rolled', 200, 600));
  const stopGranting = keepGranting(opened, 'meanwhile');

  await Promise.all(Array.from({ length: 7 }, () => opened.startWorker()));
  const [oldest, ...others] = opened.workers as [TestProcess, ...TestProcess[]];
  for (const worker of [oldest, ...others.slice(1)]) worker.signal('SIGTERM');
  for (const worker of [oldest, ...others.slice(1)]) {
    const { code } = await worker.exited;
    const errors = worker.lines.filter((line) => line.includes('"level":"error"'));
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
  }

  // The api replaces its processes one after another; the last worker is replaced by a new one.
  opened.api.signal('SIGHUP');
  const [last] = others;
  await opened.startWorker();
  await last?.stop(30_000);
  await opened.api.line(/a process was replaced/, 60_000);
  await opened.drained(batch);

  expect(await stopGranting()).toEqual([]);
  await opened.expectRight();
  const { body } = await opened.call('GET', `/v1/batches/${batch}`);
  expect(body).toMatchObject({ pending: 0, outcomes: { failed: 0 } });
  expect(await sumOf(opened, 'pinegate_stalled_jobs_total')).toBe(0);
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
