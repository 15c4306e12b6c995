import { compare, RATES, type Row, type Setting } from '../packages/budget/test/simulation/compare.ts';
import { LIMITERS } from '../packages/budget/test/simulation/limiters.ts';
import { referenceSender } from '../packages/budget/test/simulation/reference-sender.ts';
import { ourSender } from '../packages/budget/test/simulation/senders.ts';

/**
 * How much of a limit that nobody tells the rate controller uses, and at what price, against the reference controller:
 * simulated, ten seeds a row. Run: node bench/budget-sim.ts [--retry-after] [--shared] [--json]
 * `--retry-after`: refusals ask for a pause in whole seconds. `--shared`: ours runs as four workers do that report ten times
 * a second and hand out permits 0.1 s ahead, at 150 ms of latency.
 */
const retryAfter = process.argv.includes('--retry-after');
const shared = process.argv.includes('--shared');
const json = process.argv.includes('--json');

const setting: Setting = { retryAfter, ...(shared ? { latency: 0.15 } : {}) };
const percent = (share: number) => `${(100 * share).toFixed(2)}`.padStart(6);

function line(who: string, { steady, halved, doubled }: Row): string {
  const cells = [steady.used, steady.worst, steady.refused, halved.used, halved.refused, ...doubled].map(percent);
  return `${who.padEnd(26)} ${cells.join('  ')}`;
}

if (!json) {
  process.stdout.write(`${''.padEnd(26)}   used   worst    429s | halved    429s | doubled 0-60 s, 60-100 s  (%)\n`);
}
for (const limiter of Object.keys(LIMITERS)) {
  for (const rate of RATES) {
    const ours = shared
      ? compare(limiter, rate, () => ourSender({}, 4, 0.1), { ...setting, workers: 4, ahead: 0.1 })
      : compare(limiter, rate, () => ourSender(), setting);
    const reference = compare(limiter, rate, () => referenceSender(), setting);
    if (json) process.stdout.write(`${JSON.stringify({ limiter, rate, ours, reference })}\n`);
    else process.stdout.write(`${line(`${limiter} ${rate}/s`, ours)}\n${line('  reference', reference)}\n`);
  }
}
