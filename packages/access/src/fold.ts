import { addDuration, type Duration } from './duration.ts';

/** What TradingView holds for one access. `expiresAt`: ms since 1970 UTC, null = lifetime. */
export type AccessState =
  | { readonly state: 'unknown' }
  | { readonly state: 'none' }
  | { readonly state: 'granted'; readonly expiresAt: number | null };

/** One contributor of a chain. `acceptedAt`: the ledger's accept time, ms since 1970 UTC. */
export type Change =
  | { readonly kind: 'set'; readonly expiresAt: number | null }
  | { readonly kind: 'set-for'; readonly duration: Duration; readonly acceptedAt: number }
  | { readonly kind: 'extend'; readonly duration: Duration; readonly acceptedAt: number }
  | { readonly kind: 'revoke' };

const NONE: AccessState = { state: 'none' };

/**
 * The state that a chain of changes, oldest first, makes of a base. An absolute change replaces the state. An extension
 * leaves a lifetime as it is and otherwise counts from the later of the current expiry and its own accept time, one
 * after another and never summed; over a base that is `none` or `unknown` there is no current expiry.
 *
 * A date in the result may have passed: what is then to be brought about is {@link effectiveState}.
 */
export function fold(base: AccessState, changes: readonly Change[]): AccessState {
  let state = base;
  for (const change of changes) state = apply(state, change);
  return state;
}

function apply(state: AccessState, change: Change): AccessState {
  switch (change.kind) {
    case 'revoke':
      return NONE;
    case 'set':
      return { state: 'granted', expiresAt: change.expiresAt };
    case 'set-for':
      return { state: 'granted', expiresAt: addDuration(change.acceptedAt, change.duration) };
    case 'extend': {
      if (state.state !== 'granted') {
        return { state: 'granted', expiresAt: addDuration(change.acceptedAt, change.duration) };
      }
      if (state.expiresAt === null) return state;
      return {
        state: 'granted',
        expiresAt: addDuration(Math.max(state.expiresAt, change.acceptedAt), change.duration),
      };
    }
  }
}

/** The state as it counts at `now` (ms since 1970 UTC): a grant whose date has passed is no access. */
export function effectiveState(state: AccessState, now: number): AccessState {
  return state.state === 'granted' && state.expiresAt !== null && state.expiresAt <= now ? NONE : state;
}

/**
 * Whether two states are the same access at `now` (ms since 1970 UTC): a passed date and no access agree.
 * `unknown` agrees with nothing, not even with itself: what nobody knows may not save a call.
 */
export function sameState(a: AccessState, b: AccessState, now: number): boolean {
  const left = effectiveState(a, now);
  const right = effectiveState(b, now);
  if (left.state === 'granted') return right.state === 'granted' && left.expiresAt === right.expiresAt;
  return left.state === 'none' && right.state === 'none';
}
