import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { z } from 'zod';

const MOST = 256;

/** `PROCESSES`: a number of processes, or `auto`: one for each core this one may use. Default 1. */
export const processCountSchema = z
  .string()
  .default('1')
  .transform((text, context) => {
    if (text === 'auto') return availableParallelism();
    const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= MOST) return count;
    context.addIssue(`must be auto or a number from 1 to ${MOST}.`);
    return z.NEVER;
  });

/** Whether this process is to supervise `count` copies of itself instead of doing the work. */
export function isSupervisor(count: number): boolean {
  return count > 1 && cluster.isPrimary;
}
