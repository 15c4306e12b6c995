// pnpm storm [--seed N] [--minutes M] [--without R9]: see docs/testing.md.
import { parseArgs } from 'node:util';
import { runStorm } from './run-storm.ts';
import { tellStorm } from './tell-storm.ts';
import { withoutRule } from './without-rule.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '2' },
    without: { type: 'string' },
    protocol: { type: 'string', default: 'http' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const lengthMs = Number(values.minutes) * 60_000;
if (!Number.isSafeInteger(seed) || !(lengthMs > 0)) {
  process.stderr.write('storm: --seed takes a whole number, --minutes a number over 0.\n');
  process.exit(2);
}
const dropped = values.without === undefined ? {} : withoutRule(values.without);
const say = (line: string) => process.stdout.write(`${line}\n`);
if (values.without !== undefined) say(`without ${values.without}`);
// Its children end when it exits, and by a signal alone it would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const protocol = values.protocol === 'https' ? 'https' : 'http';
const result = await runStorm({ seed, lengthMs, protocol, ...dropped, say });
say(tellStorm(result));
process.exitCode = result.wrong.length === 0 ? 0 : 1;
