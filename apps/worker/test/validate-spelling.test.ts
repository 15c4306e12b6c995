import type { Claimed, ClaimedWork } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import type { ClaimTicket } from '../src/claim-ticket.ts';
import { validateSpelling } from '../src/validate-spelling.ts';

type Context = Parameters<typeof validateSpelling>[0];

const TICKET: ClaimTicket = {
  script: 0,
  pineId: 'PUB;1',
  name: 'joe',
  token: 't',
  bulk: true,
  sentAt: 0,
  answeredAt: 0,
};

function workFor(need: 'write' | 'base') {
  return { name: 'joe', need, version: 3, spelling: 'JOE', spellingAccepted: false } as Extract<Claimed, ClaimedWork>;
}

/** `known` is in the cache, `found` is what upstream says; undefined = nothing, and no answer. */
async function validate(given: {
  readonly known?: string | null;
  readonly found?: string | null;
  readonly need?: 'write' | 'base';
  readonly elapsed?: number;
}) {
  const did: string[] = [];
  const permits = (name: string) => ({
    count: 1,
    start: () => ({ ready: null, finish() {} }),
    release: () => void did.push(`release ${name}`),
  });
  const ctx = {
    knownSpelling: async () => given.known,
    async lookUp() {
      did.push('look up');
      if (given.found === undefined) throw new Error('no answer');
      return given.found;
    },
    budget: {
      async acquire(budget: string) {
        did.push(`acquire ${budget}`);
        return permits(budget);
      },
    },
    limits: { leaseMs: 20_000, requestDeadlineMs: 6_000, modifyMakesLifetime: true },
    monotonic: () => given.elapsed ?? 0,
  } as unknown as Context;
  return { did, validated: await validateSpelling(ctx, TICKET, workFor(given.need ?? 'write'), permits('grant')) };
}

test('a known user is written to at once, in the canonical spelling', async () => {
  const { did, validated } = await validate({ known: 'Joe' });
  expect(validated).toMatchObject({
    work: { spelling: 'Joe', spellingAccepted: true, version: 3 },
    permits: { count: 1 },
  });
  expect(did).toEqual([]);
});

test('a user who is known not to exist is refused for good without a look-up', async () => {
  const { did, validated } = await validate({ known: null });
  expect(validated).toEqual({
    settle: expect.objectContaining({ result: 'rejected', code: 'USER_NOT_FOUND', carried: 3, sent: false }),
  });
  expect(did).toEqual(['release grant']);
});

test('an unknown user is looked up with no permit in hand', async () => {
  const { did, validated } = await validate({ found: 'Joe' });
  expect(validated).toMatchObject({ work: { spelling: 'Joe' }, permits: null });
  expect(did).toEqual(['release grant', 'look up']);
});

test('a read that follows a look-up gets a permit of its own', async () => {
  const { did, validated } = await validate({ found: 'Joe', need: 'base' });
  expect(validated).toMatchObject({ permits: { count: 1 } });
  expect(did).toEqual(['release grant', 'look up', 'acquire list']);
});

test('a user whom the look-up does not find is refused for good', async () => {
  expect((await validate({ found: null })).validated).toMatchObject({ settle: { result: 'rejected' } });
});

test.each([
  ['that fails', {}, ['release grant', 'look up']],
  ['for which the lease has no room', { found: 'Joe', elapsed: 9_000 }, ['release grant']],
])('a look-up %s says nothing: the key is tried again', async (_what, given, expected) => {
  const { did, validated } = await validate(given);
  expect(validated).toMatchObject({ settle: { result: 'unapplied', code: 'LOOK_UP_FAILED', sent: false } });
  expect(did).toEqual(expected);
});
