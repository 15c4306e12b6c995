import { parseArgs } from 'node:util';
import { buildRandom } from '../examples/seeded-random.ts';
import { formatTables } from './harness/format-tables.ts';
import { createWaitCounts, type WaitCounts } from './scale/create-wait-counts.ts';
import { simulateAccount } from './scale/simulate-account.ts';

/**
 * A day of a fleet of accounts, each held to the rate that an account has: how much of what is asked for is done, and how long operations wait. No
 * process is started: workers are taken to keep up. Run: node bench/fleet-sim.ts [--accounts 1000] [--rate 5] [--hours 24] [--seed N]
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '5' },
    hours: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    latency: { type: 'string', default: '150' },
  },
});
const accounts = Number(values.accounts);
const rate = Number(values.rate);
const hours = Number(values.hours);
const latencyS = Number(values.latency) / 1000;
const DAY_S = 86_400;
const SKEW = 0.8;

const WEIGHTS = weights(accounts);
/** Share of the fleet's operations that account `k` asks for: all the same, or a few vendors with most customers. */
const SHAPES: Readonly<Record<string, (k: number) => number>> = {
  equal: () => 1 / accounts,
  skewed: (k) => k ** -SKEW / WEIGHTS,
};
const SCENARIOS: readonly { readonly shape: string; readonly perDay: number }[] = [
  { shape: 'equal', perDay: 1e6 },
  { shape: 'skewed', perDay: 1e6 },
  { shape: 'equal', perDay: 100e6 },
  { shape: 'skewed', perDay: 100e6 },
  { shape: 'equal', perDay: 432e6 },
];

const rows = SCENARIOS.map(({ shape, perDay }) => simulate(shape, perDay));
process.stdout.write(`${accounts} accounts at ${rate}/s, ${hours} h, seed ${values.seed}\n\n${formatTables(rows)}\n`);

function simulate(shape: string, perDay: number) {
  const random = buildRandom(Number(values.seed));
  const share = SHAPES[shape] as (k: number) => number;
  const singles = createWaitCounts();
  const batches = createWaitCounts();
  let [worstSingle, worstBatch] = [0, 0];
  let [done, pending, behind, peak] = [0, 0, 0, 0];
  const bySecond = new Float64Array(Math.ceil(hours * 3_600) + 1);
  for (let k = 1; k <= accounts; k++) {
    const perSecond = (perDay * share(k)) / DAY_S;
    const day = simulateAccount({ perSecond, rate, seconds: hours * 3_600, latencyS, random });
    for (const [second, count] of day.doneBySecond.entries()) bySecond[second] = (bySecond[second] ?? 0) + count;
    done += day.done;
    pending += day.pending;
    if (day.pending > rate * 3_600) behind += 1;
    singles.addAll(day.singleWaits);
    batches.addAll(day.batchWaits);
    worstSingle = Math.max(worstSingle, day.singleWaits.quantile(0.99) ?? 0);
    worstBatch = Math.max(worstBatch, day.batchWaits.quantile(0.5) ?? 0);
  }
  for (const count of bySecond) peak = Math.max(peak, count);
  const seconds = (waits: WaitCounts, share: number) => rounded(waits.quantile(share), 1);
  const minutes = (waits: WaitCounts, share: number) => rounded(waits.quantile(share), 60);
  return {
    'asked, M/day': perDay / 1e6,
    accounts: shape,
    'op/s': Math.round(done / (hours * 3_600)),
    'peak op/s': peak,
    'left, M': Math.round(pending / 1e4) / 100,
    'more than 1 h behind': behind,
    'single p50, s': seconds(singles, 0.5),
    'single p99, s': seconds(singles, 0.99),
    'worst account p99, s': rounded(worstSingle, 1),
    'batch p50, min': minutes(batches, 0.5),
    'batch p99, min': minutes(batches, 0.99),
    'worst account p50, min': rounded(worstBatch, 60),
  };
}

function rounded(waitS: number | null, unit: number): number | null {
  return waitS === null ? null : Math.round((waitS / unit) * 100) / 100;
}

function weights(n: number): number {
  let sum = 0;
  for (let k = 1; k <= n; k++) sum += k ** -SKEW;
  return sum;
}
