import { type AccessState, effectiveState, fold } from '@pinegate/access';
import type { AccessRecord } from '@pinegate/ledger';
import type { z } from 'zod';
import type { access } from './schemas.ts';

/** An access as the API shows it. */
export type AccessView = z.output<typeof access>;

/**
 * The API's view of an access.
 * @param now ms since 1970: an expiry that has passed is no access.
 */
export function viewAccess(record: AccessRecord, script: string, now: number): AccessView {
  const { username, version, base, at, chain, last } = record;
  const desired = desiredState(record);
  return {
    script,
    username,
    status: chain.length > 0 ? 'pending' : last === 'failed' ? 'failed' : 'settled',
    version,
    desired: desired === null ? null : viewState(desired, now),
    applied: { ...viewState(base, now), at: at === 0 ? null : isoTime(at), outcome: last },
  };
}

/** ms since 1970 as the API writes a moment. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** As `isoTime`, null as null. */
export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

// What the access is to become; null while an extension waits for a base that nobody has read.
function desiredState({ base, chain }: AccessRecord): AccessState | null {
  if (base.state === 'unknown' && chain.every(({ kind }) => kind === 'extend')) return null;
  return fold(base, chain);
}

function viewState(state: AccessState, now: number) {
  const counts = effectiveState(state, now);
  const expiresAt = counts.state === 'granted' ? isoTimeOrNull(counts.expiresAt) : null;
  return { state: counts.state, expiresAt };
}
