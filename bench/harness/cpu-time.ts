import { readFileSync } from 'node:fs';

const TICKS_PER_MS = 0.1;

/** CPU time that a process has used so far, user and system, ms; NaN where there is no /proc. */
export function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_MS;
  } catch {
    return Number.NaN;
  }
}
