import { randomBytes } from 'node:crypto';

/** Seed of all random choices of a run: `PINEGATE_SEED`, or a new one. It is printed, so that a run can be repeated. */
export const SEED: string = process.env.PINEGATE_SEED ?? randomBytes(4).toString('hex');

/** Numbers from 0 to 1 that follow from the seed and a name (mulberry32 over an FNV hash). */
export function seededRandom(name: string): () => number {
  let state = 0x811c9dc5;
  for (const letter of `${SEED} ${name}`) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
