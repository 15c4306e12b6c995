import type { Bench } from '../harness/bench.ts';
import { compareBacklogs } from '../scale/compare-backlogs.ts';
import { compareWorkers } from '../scale/compare-workers.ts';

/**
 * Whether the work stays flat as it grows: operations a second and the time of a GET beside a small and a large backlog, and what one, two and
 * four workers bring about where only the number of requests in flight limits them.
 */
export const bench: Bench = {
  summary: 'op/s and GETs beside 10,000 and 1,000,000 pending; workers 1, 2, 4',
  options: {
    part: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    backlog: { type: 'string' },
    workers: { type: 'string' },
    latency: { type: 'string' },
  },
  smoke: { rounds: '1', seconds: '1', backlog: '500,2000', workers: '1,2' },
  maxMs: () => 30 * 60_000,
  async run(input) {
    const part = input.flags.part ?? 'backlog,workers';
    if (String(part).includes('backlog')) await compareBacklogs(input);
    if (String(part).includes('workers')) await compareWorkers(input);
  },
};
