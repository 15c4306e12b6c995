import type { Stack } from '../../tests/stack/start-stack.ts';
import { EXPIRES } from '../rivals/rival.ts';

/** How often somebody looks whether it is over: a look takes a machine that has nothing to spare a millisecond. */
const LOOK_MS = 50;

/** Seconds from sending a batch of grants to strangers, `<names>_0` and so on, until nothing of it is pending; all must have been granted. */
export function grantBatch(
  stack: Stack,
  script: string,
  names: string,
  count: number,
  lookMs = LOOK_MS,
): Promise<number> {
  const users = Array.from({ length: count }, (_, i) => [script, `${names}_${i}`] as const);
  return grantUsers(stack, users, lookMs);
}

/** The same for users of several scripts. */
export async function grantUsers(
  stack: Stack,
  users: readonly (readonly [string, string])[],
  lookMs = LOOK_MS,
): Promise<number> {
  const rows = users.map(([script, user]) => `grant,${script},${user},${EXPIRES}\n`);
  const raw = `action,script,username,expires_at\n${rows.join('')}`;
  const startedAt = performance.now();
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  const { outcomes } = await stack.drained(body.id, lookMs);
  const seconds = (performance.now() - startedAt) / 1000;
  if (outcomes.granted !== users.length) throw new Error(`of ${users.length} grants: ${JSON.stringify(outcomes)}`);
  return seconds;
}
