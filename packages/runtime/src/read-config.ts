import { ConfigError } from './config-error.ts';
import type { Env } from './parse-env.ts';

/** A process's configuration. Where it is not valid, all its mistakes go to stderr and the process ends with 1. */
export function readConfig<C>(parse: (env: Env) => C, env: Env): C {
  try {
    return parse(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
