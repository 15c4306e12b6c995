import type { Stack } from '../../tests/stack/start-stack.ts';
import { EXPIRES } from '../rivals/rival.ts';

/** Seconds from sending a batch of grants to strangers, `<names>_0` and so on, until nothing of it is pending; all must have been granted. */
export async function grantBatch(stack: Stack, script: string, names: string, count: number): Promise<number> {
  const rows = Array.from({ length: count }, (_, i) => `grant,${script},${names}_${i},${EXPIRES}\n`);
  const raw = `action,script,username,expires_at\n${rows.join('')}`;
  const startedAt = performance.now();
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  const { outcomes } = await stack.drained(body.id);
  const seconds = (performance.now() - startedAt) / 1000;
  if (outcomes.granted !== count) throw new Error(`of ${count} grants: ${JSON.stringify(outcomes)}`);
  return seconds;
}
