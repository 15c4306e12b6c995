import { expect, it } from 'vitest';
import { waitFor } from '../src/index.ts';

it('looks until there is something, past errors', async () => {
  const answers = [undefined, null, false, new Error('not yet'), 0];
  const look = () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  expect(await waitFor(look, { what: 'zero', everyMs: 0 })).toBe(0);
});

it('gives up with what was awaited and the last error', async () => {
  const error = await waitFor(() => Promise.reject(new Error('why')), {
    what: 'the sun',
    withinMs: 0,
    everyMs: 0,
  }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ message: 'the sun: not within 0 ms', cause: { message: 'why' } });
});
