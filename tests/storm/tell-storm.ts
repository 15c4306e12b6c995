import type { StormResult } from './run-storm.ts';

const MOST_WRONG = 40;
const MOST_HISTORIES = 5;

/** What a storm did and what came of it, for a person. */
export function tellStorm(result: StormResult): string {
  const { plan, counts, faults, upstreamRequests, keys, operations, outcomes, excusedOverlaps, wrong } = result;
  const lines = [
    `seed ${plan.seed}`,
    '',
    'what was done',
    ...table(counts),
    '',
    `faults of the upstream, in ${upstreamRequests} requests`,
    ...table(faults),
    '',
    `outcomes of ${operations} operations on ${keys} accesses`,
    ...table(outcomes),
    '',
    `two writes at once while a worker stood still: ${excusedOverlaps}`,
    wrong.length === 0 ? 'nothing is wrong' : `${wrong.length} THINGS ARE WRONG`,
    ...wrong.slice(0, MOST_WRONG),
  ];
  if (wrong.length > 0) lines.push('', 'what the processes said last', ...result.problems.slice(-MOST_WRONG));
  for (const history of result.histories.slice(0, MOST_HISTORIES)) lines.push('', history);
  return lines.join('\n');
}

function table(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, n]) => `  ${String(n).padStart(7)}  ${name}`);
}
