/** Draws that are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32: small, and good enough to make examples. */
export function buildRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (n: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x100000000) * n);
  };
  return { below, pick: <T>(from: readonly T[]) => from[below(from.length)] as T };
}
