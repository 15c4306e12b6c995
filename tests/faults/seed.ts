import { randomBytes } from 'node:crypto';

/** Seed of all random choices of a run: `PINEGATE_SEED`, or a new one. It is printed, so that a run can be repeated. */
export const SEED: string = process.env.PINEGATE_SEED ?? randomBytes(4).toString('hex');
