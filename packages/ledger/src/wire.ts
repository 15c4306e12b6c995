import type { AccessState, Change, Duration, Operation } from '@pinegate/access';
import type { Contributor, EndedOperation } from './types.ts';

/** A state as the Lua scripts write it: `?` unknown, `n` none, `l` lifetime, else the expiry in ms. */
export type StateText = string | number;

export function encodeState(state: AccessState): string {
  if (state.state === 'unknown') return '?';
  if (state.state === 'none') return 'n';
  return state.expiresAt === null ? 'l' : String(state.expiresAt);
}

export function decodeState(text: StateText): AccessState {
  if (text === '?') return { state: 'unknown' };
  if (text === 'n') return { state: 'none' };
  return { state: 'granted', expiresAt: text === 'l' ? null : Number(text) };
}

/** A contributor: kind, version, part, then date or amount, unit and accept time. */
export type ContributorWire = readonly [kind: string, version: number, part: number, ...rest: (number | string)[]];

export function decodeChange(wire: ContributorWire): Change {
  const [kind, , , a, unit, acceptedAt] = wire;
  switch (kind) {
    case 'g':
      return { kind: 'set', expiresAt: Number(a) };
    case 'l':
      return { kind: 'set', expiresAt: null };
    case 'r':
      return { kind: 'revoke' };
    default: {
      const duration: Duration = { amount: Number(a), unit: unit as Duration['unit'] };
      return { kind: kind === 'd' ? 'set-for' : 'extend', duration, acceptedAt: Number(acceptedAt) };
    }
  }
}

export function decodeContributor(wire: ContributorWire): Contributor {
  return { ...decodeChange(wire), version: wire[1], part: wire[2] };
}

/** The tail of a row's line: kind, spelling and value. */
export function encodeOperation(operation: Operation): string {
  if (operation.action === 'revoke') return `r ${operation.username}`;
  const { until, username } = operation;
  switch (until.kind) {
    case 'date':
      return `g ${username} ${until.expiresAt}`;
    case 'lifetime':
      return `l ${username}`;
    case 'duration':
      return `d ${username} ${until.duration.amount}${until.duration.unit}`;
    case 'extend':
      return `x ${username} ${until.duration.amount}${until.duration.unit}`;
  }
}

export type EndedWire = readonly [
  outcome: EndedOperation['outcome'],
  action: EndedOperation['action'],
  lane: string,
  afterMs: number,
];

export function decodeEnded(wire: readonly EndedWire[] | undefined): EndedOperation[] {
  return (wire ?? []).map(([outcome, action, lane, afterMs]) => ({
    outcome,
    action,
    lane: lane === 's' ? 'single' : 'bulk',
    afterMs,
  }));
}
