import { expect, test } from 'vitest';
import { createPlan } from './plan.ts';
import { runStorm } from './run-storm.ts';
import { tellStorm } from './tell-storm.ts';

const SEED = Number(process.env.PINEGATE_SEED ?? Date.now() % 1_000_000);
const LENGTH_MS = 20_000;

test('a short storm leaves every access as the accepted operations say', { timeout: 900_000 }, async () => {
  console.log(`seed ${SEED}: PINEGATE_SEED=${SEED} plans the same storm again`);
  const result = await runStorm({ seed: SEED, lengthMs: LENGTH_MS });
  expect(result.wrong, tellStorm(result)).toEqual([]);
  expect(result.operations).toBeGreaterThan(0);
  expect(result.upstreamRequests).toBeGreaterThan(0);
});

test('a seed and a length make one plan', () => {
  expect(createPlan(7, LENGTH_MS)).toEqual(createPlan(7, LENGTH_MS));
  expect(createPlan(7, LENGTH_MS)).not.toEqual(createPlan(8, LENGTH_MS));
});
