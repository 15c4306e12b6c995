import { cleanUsername, isPineId } from '@pinegate/access';
import type { AccessRecord, Directory, ScriptRoute } from '@pinegate/ledger';
import type { ApiContext } from './api-context.ts';
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

/**
 * The access that a path names.
 * Errors: `Problem` `invalid_username`, `invalid_script`, `unknown_script`, `unknown_access`.
 */
export async function readKnownAccess(
  { directory, ledger }: Pick<ApiContext, 'directory' | 'ledger'>,
  script: string,
  name: string,
): Promise<{ readonly route: ScriptRoute; readonly record: AccessRecord }> {
  const username = usernameOf(name);
  const route = await routeOf(directory, script);
  const [record] = await ledger.account(route.account).readAccess(route.index, [username]);
  if (!record) throw new Problem('unknown_access', `Nobody has asked for access of ${username} to ${script} yet.`);
  return { route, record };
}
