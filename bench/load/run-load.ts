import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@pinegate/testing';
import { buildRandom } from '../../examples/seeded-random.ts';
import type { Row } from '../harness/bench.ts';
import { formatTables } from '../harness/format-tables.ts';
import { quantile } from '../harness/median.ts';
import { createCoreMeter } from './create-core-meter.ts';
import { startPace, type Tally } from './create-pace.ts';
import { type LoadStack, openLoadStack } from './open-load-stack.ts';
import type { LoadSettings } from './parse-load.ts';
import { readMemory } from './read-memory.ts';
import { buildRequests, KINDS } from './requests.ts';
import { splitRow } from './split-row.ts';

/** The figures of a load, and what went wrong: nothing, as it should be. */
export interface LoadResult {
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
}

const MINUTE_MS = 60_000;
const DRAIN_MS = 5 * MINUTE_MS;
/** The sweeper looks through all batches once in a while, and only then the retention of one that nobody reads begins. */
const EXPIRE_MORE_MS = 3 * MINUTE_MS;
const LOOK_MS = 20_000;

/** Runs a load from the start of its processes to their end. */
export async function runLoad(settings: LoadSettings, seed: string, tell: (line: string) => void): Promise<LoadResult> {
  const rows: Row[] = [];
  const problems: string[] = [];
  const load = await openLoadStack(settings, seed);
  const coresSince = createCoreMeter(load);
  const report = async (figures: Row) => {
    const row = { ...figures, ...coresSince(), ...(await readMemory(load)) };
    rows.push(row);
    tell(`${formatTables(splitRow(row))}\n`);
  };
  try {
    await grantEverybody(load, settings);
    await report({ when: 'at first' });
    problems.push(...(await keepLoaded(load, settings, seed, report)));
    await waitFor(async () => (await pendingOf(load)) === 0, {
      what: 'all to settle',
      withinMs: DRAIN_MS,
      everyMs: 500,
    });
    await report({ when: 'all settled' });
    if (settings.expire) await letExpire(settings, report);
  } finally {
    await load.stop();
  }
  return { rows, problems };
}

/** Every access exists from the start, so that what grows later is not the number of accesses. */
async function grantEverybody({ stack, scripts }: LoadStack, { users }: LoadSettings): Promise<void> {
  const usernames = Array.from({ length: users }, (_, n) => `user_${n}`);
  const rows = scripts.flatMap((script) => usernames.map((name) => `grant,${script},${name},lifetime\n`));
  const raw = `action,script,username,expires_at\n${rows.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  await stack.drained(body.id);
}

/** Sends for so many minutes; answers the errors, each kind once with its number. */
async function keepLoaded(
  load: LoadStack,
  settings: LoadSettings,
  seed: string,
  report: (figures: Row) => Promise<void>,
): Promise<string[]> {
  const requests = await buildRequests(
    load,
    settings,
    buildRandom(createHash('sha256').update(seed).digest().readUInt32BE()),
  );
  const { rate, batchEveryS, reads, dashboards } = settings;
  const pace = startPace(requests, { single: rate, batch: 1 / batchEveryS, read: reads, dashboard: dashboards });
  const errors = new Map<string, number>();
  /** What came since the last time, and how many of it were errors. */
  const take = () => {
    const tallies = pace.take();
    const all = KINDS.flatMap((kind) => tallies[kind].errors.map((error) => `${kind}: ${error}`));
    for (const error of all) errors.set(error, (errors.get(error) ?? 0) + 1);
    return { tallies, failed: all.length };
  };
  const endsAt = performance.now() + settings.minutes * MINUTE_MS;
  for (let minute = 1; performance.now() < endsAt; minute++) {
    const from = performance.now();
    await pause(Math.min(MINUTE_MS, endsAt - from));
    const seconds = (performance.now() - from) / 1000;
    const { tallies, failed } = take();
    const figures = KINDS.map((kind) => figuresOf(kind, tallies[kind], seconds));
    await report({
      when: `minute ${minute}`,
      ...Object.assign({}, ...figures),
      errors: failed,
      pending: await pendingOf(load),
    });
  }
  await pace.stop();
  take();
  return [...errors].map(([error, count]) => `${count} × ${error}`);
}

function figuresOf(kind: string, { waitsMs }: Tally, seconds: number): Row {
  const at = (share: number) => (waitsMs.length === 0 ? null : Math.round(quantile(waitsMs, share) * 10) / 10);
  return {
    [`${kind}/s`]: Math.round((waitsMs.length / seconds) * 100) / 100,
    [`${kind} p50, ms`]: at(0.5),
    [`${kind} p99, ms`]: at(0.99),
  };
}

async function pendingOf({ stack }: LoadStack): Promise<number> {
  const { body } = await stack.call('GET', '/v1/accounts');
  return body.items.reduce((sum: number, { pending }: { pending: number }) => sum + pending, 0);
}

async function letExpire(settings: LoadSettings, report: (figures: Row) => Promise<void>): Promise<void> {
  const endsAt = performance.now() + settings.retentionS * 1000 + EXPIRE_MORE_MS;
  const from = performance.now();
  while (performance.now() < endsAt) {
    await pause(Math.min(LOOK_MS, endsAt - performance.now()));
    await report({ when: `${Math.round((performance.now() - from) / 1000)} s later` });
  }
}
