import type { Permits } from '@pinegate/budget';
import type { Settled, Settlement } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import type { AccountContext } from '../src/account-context.ts';
import type { ClaimTicket } from '../src/claim-ticket.ts';
import { converge } from '../src/converge.ts';

const DATE = Date.UTC(2031, 0, 1);

test('lets its room go once the write has been answered, and before it is settled', async () => {
  const steps: string[] = [];
  const settled = { need: 'done', ended: [] } as unknown as Settled;
  const ctx = {
    session: () => ({ sessionid: 's' }),
    upstream: {
      async add() {
        steps.push('exists');
        return 'exists';
      },
      async modify() {
        steps.push('modified');
        return 'ok';
      },
    },
    budget: { acquire: async () => permit, isBreakerOpen: () => false },
    settler: {
      async settle({ result }: Settlement) {
        steps.push(`settled ${result}`);
        return settled;
      },
    },
    verifiesWrites: () => false,
    limits: { leaseMs: 20_000, requestDeadlineMs: 6_000, modifyMakesLifetime: true },
    monotonic: () => 0,
  } as unknown as AccountContext;
  const permit: Permits = { count: 1, start: () => ({ ready: null, finish() {} }), release() {} };
  const ticket = { script: 1, pineId: 'PUB;a', name: 'user', token: 't', bulk: true, sentAt: 0, answeredAt: 0 };
  const work = {
    name: 'user',
    need: 'write',
    claimedAt: 0,
    version: 1,
    armedVersion: 1,
    base: { state: 'unknown' },
    sure: false,
    spelling: 'user',
    spellingAccepted: false,
    chain: [{ kind: 'set', expiresAt: DATE, version: 1, part: 1 }],
    tries: 0,
    validate: false,
  } as unknown as Parameters<typeof converge>[2];

  const answer = await converge(ctx, ticket satisfies ClaimTicket, work, permit, () => steps.push('room left'));

  expect(answer).toBe(settled);
  expect(steps).toEqual(['exists', 'modified', 'room left', 'settled applied']);
});

test('reads nothing for a request that was let go ahead and gets no slot, and the key comes again', async () => {
  const steps: string[] = [];
  const ctx = {
    session: () => ({ sessionid: 's' }),
    upstream: {
      async listUsers() {
        steps.push('read');
        return null;
      },
    },
    settler: {
      async settle({ result, ...rest }: Settlement) {
        steps.push(`settled ${result} ${'code' in rest ? rest.code : ''}`);
        return { need: 'done', ended: [] };
      },
    },
    limits: { leaseMs: 20_000, requestDeadlineMs: 6_000, modifyMakesLifetime: true },
    monotonic: () => 0,
  } as unknown as AccountContext;
  const permit: Permits = {
    count: 1,
    start: () => ({ ready: Promise.resolve(false), finish: (result) => void steps.push(result) }),
    release() {},
  };
  const ticket = { script: 1, pineId: 'PUB;a', name: 'user', token: 't', bulk: true, sentAt: 0, answeredAt: 0 };
  const work = { name: 'user', need: 'base', claimedAt: 0, version: 1, spelling: 'user', chain: [], tries: 0 };
  await converge(ctx, ticket, work as unknown as Parameters<typeof converge>[2], permit, () => {});
  expect(steps).toEqual(['unsent', 'settled unapplied NO_PERMIT']);
});
