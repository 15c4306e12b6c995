import { randomUUID } from 'node:crypto';
import type { Directory, IdempotencyVerdict } from '../directory-types.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';

/** Long enough for three renewals by a request that lives, short enough that a resend after a crash does not wait long. */
const LEASE_MS = 10_000;

type BeginReply =
  | readonly ['fresh' | 'resume', lease: string, resource: string]
  | readonly ['stored', status: string, body: string, fingerprint: string]
  | readonly ['busy', retryMs: number]
  | readonly ['differs'];

/** `Directory.idempotency`. */
export function buildIdempotency(
  scripts: DirectoryScripts,
  names: DirectoryNames,
  retentionMs: number,
): Directory['idempotency'] {
  const run = (script: string, scope: string, key: string, args: readonly (string | number)[]) =>
    scripts.run(script, [names.idempotency(scope, key)], args);
  return {
    async begin(scope, key, fingerprint, resource) {
      const args = [fingerprint ?? '', resource, randomUUID(), LEASE_MS, retentionMs];
      const keys = [names.idempotency(scope, key), names.idempotencyHours];
      return verdictOf((await scripts.run('idempotency-begin', keys, args)) as BeginReply);
    },
    renew: async (scope, key, lease) =>
      (await run('idempotency-renew', scope, key, [lease, LEASE_MS, retentionMs])) === 1,
    async finish(scope, key, lease, fingerprint, status, body) {
      const reply = await run('idempotency-finish', scope, key, [lease, fingerprint, status, body, retentionMs]);
      if (reply === 'differs') {
        throw new DirectoryError('BODY_DIFFERS', 'The request that was begun under this key had another body.');
      }
      return reply === 'done';
    },
    async abandon(scope, key, lease) {
      await run('idempotency-abandon', scope, key, [lease]);
    },
    kept: async () => (await scripts.run('idempotency-kept', [names.idempotencyHours], [retentionMs])) as number,
  };
}

function verdictOf(reply: BeginReply): IdempotencyVerdict {
  switch (reply[0]) {
    case 'stored':
      return { verdict: 'stored', status: Number(reply[1]), body: reply[2], fingerprint: reply[3] };
    case 'busy':
      return { verdict: 'busy', retryMs: reply[1] };
    case 'differs':
      return { verdict: 'differs' };
    default:
      return { verdict: reply[0], lease: reply[1], resource: reply[2] };
  }
}
