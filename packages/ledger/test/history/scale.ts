/** Simulated ms. A unit is short enough that the ledger's own second is five of them. */
export const UNIT = 200;
export const DEADLINE = 10 * UNIT;
export const LATE = 40 * UNIT;
export const LEASE = 30 * UNIT;
export const LOCK = 50 * UNIT;
export const VERIFY_DELAY = 60 * UNIT;
export const HORIZON = 900 * UNIT;
export const AFTERWARDS = 1_500 * UNIT;
export const DAY = 86_400_000;
export const SCRIPT = 1;
