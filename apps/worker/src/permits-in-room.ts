import type { Budget, BudgetName, Permits } from '@pinegate/budget';
import type { Room } from './in-flight.ts';

/** What claiming keys takes: a permit for the first request of each, and its place in the room. */
export interface PermitsInRoom {
  /** At least as many as there are places. */
  readonly permits: Permits;
  readonly places: number;
}

/**
 * Waits for permits and for room, and never for one with the other in hand. Permits have slots, and keys that are in the room may wait for
 * those, to look their user up; room that is kept is room that other accounts lack. Null when aborted.
 * @param n most keys
 */
export async function permitsInRoom(
  budget: Pick<Budget, 'acquire'>,
  room: Pick<Room, 'enter' | 'enterNow' | 'leave'>,
  name: BudgetName,
  n: number,
  { bulk, signal }: { readonly bulk: boolean; readonly signal: AbortSignal },
): Promise<PermitsInRoom | null> {
  const options = { bulk, ahead: true, signal };
  while (true) {
    const places = await room.enter(n, { bulk, signal });
    if (places === 0) return null;
    const atOnce = await budget.acquire(name, places, { ...options, maxWaitMs: 0 });
    if (atOnce) {
      room.leave(places - atOnce.count, bulk);
      return { permits: atOnce, places: atOnce.count };
    }
    room.leave(places, bulk);
    const permits = await budget.acquire(name, n, options);
    if (!permits) return null;
    const kept = room.enterNow(permits.count, bulk);
    if (kept > 0) return { permits, places: kept };
    // Others have filled it meanwhile.
    permits.release();
  }
}
