import { cleanUsername, isPineId } from '@pinegate/access';
import type { Directory, ScriptRoute } from '@pinegate/ledger';
import { Problem } from './problem.ts';

/**
 * The account that has a script.
 * Errors: `Problem` `invalid_script`, `unknown_script`.
 */
export async function routeOf(directory: Directory, script: string): Promise<ScriptRoute> {
  if (!isPineId(script)) {
    throw new Problem('invalid_script', 'A script is "PUB;" and 32 lower-case hex digits, percent-encoded in a path.');
  }
  const route = await directory.scripts.resolve(script);
  if (route === null) throw new Problem('unknown_script', `No account has the script ${script}.`);
  return route;
}

/**
 * The username in a path.
 * Errors: `Problem` `invalid_username`.
 */
export function usernameOf(text: string): string {
  const username = cleanUsername(text);
  if (username !== null) return username;
  throw new Problem('invalid_username', 'A username has 1 to 64 of the characters A-Z a-z 0-9 _ . and -.');
}
