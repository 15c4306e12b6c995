import type { Row } from '../harness/bench.ts';

const OF_PROCESSES = /(MiB|keys|cores)$/;

/** What was asked and answered apart from what the processes are like: one table would be too wide to read. */
export function splitRow({ when = null, ...rest }: Row): readonly Row[] {
  const entries = Object.entries(rest);
  const [processes, requests] = [true, false].map((of) => entries.filter(([name]) => OF_PROCESSES.test(name) === of));
  return [requests, processes].flatMap((part = []) => (part.length === 0 ? [] : { when, ...Object.fromEntries(part) }));
}
