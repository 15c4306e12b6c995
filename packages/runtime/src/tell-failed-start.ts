import { PreflightError } from './check-redis.ts';
import type { Logger } from './logger.ts';

/** Logs why a process did not start: a sentence on what to change where an operator can. `variable` names the one that sets the port. */
export function tellFailedStart(
  log: Logger,
  err: unknown,
  { port, variable }: { port: number; variable: string },
): void {
  const isTaken = err instanceof Error && 'code' in err && err.code === 'EADDRINUSE';
  if (err instanceof PreflightError) log.fatal(err.message);
  else if (isTaken) log.fatal({ port }, `the port is taken: set ${variable} to another one`);
  else log.fatal({ err }, 'this process could not start');
}
