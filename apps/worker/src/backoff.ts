const FIRST_MS = 1_000;
const MAX_MS = 60_000;

/** Milliseconds until the next try: doubling from a second to a minute, each between half and all of it. */
export function backoffMs(tries: number, random: () => number = Math.random): number {
  const whole = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(tries, 10));
  return Math.round(whole * (0.5 + random() / 2));
}
