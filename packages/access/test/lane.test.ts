import { expect, test } from 'vitest';
import { LANES, laneOf, OUTCOMES } from '../src/index.ts';

test('each action has a lane for those who wait and one for bulk', () => {
  expect(laneOf('grant', false)).toBe('grant');
  expect(laneOf('revoke', false)).toBe('revoke');
  expect(laneOf('grant', true)).toBe('grant-bulk');
  expect(laneOf('revoke', true)).toBe('revoke-bulk');
  expect([...LANES].sort()).toEqual(['grant', 'grant-bulk', 'revoke', 'revoke-bulk']);
});

test('the outcomes are the closed set of eight', () => {
  expect(new Set(OUTCOMES).size).toBe(8);
});
