import { expect, test } from 'vitest';
import { JOURNAL } from './journal.ts';
import { SHORT_TIMES } from './short-times.ts';
import { patchedSources } from './sources.ts';
import { STORM_RULES, withoutRule } from './without-rule.ts';

test('what a storm changes in the sources is found there', () => {
  expect(() => patchedSources([...JOURNAL, ...SHORT_TIMES])).not.toThrow();
});

test.each(STORM_RULES)('what %s looks like when it is dropped is found beside them', (rule) => {
  const { patches, texts } = withoutRule(rule);
  const all = patchedSources([...JOURNAL, ...SHORT_TIMES, ...patches], texts);
  expect(all).not.toEqual(patchedSources([...JOURNAL, ...SHORT_TIMES]));
});

test('a patch that does not find its text, or finds it twice, ends the storm before it begins', () => {
  const file = 'tests/storm/stage.ts';
  expect(() => patchedSources([{ file, find: 'no such text', replace: '' }])).toThrow(/0 times/);
  expect(() => patchedSources([{ file, find: 'export const', replace: '' }])).toThrow(/\d+ times/);
});
