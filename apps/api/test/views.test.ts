import type { AccessRecord, BatchRecord, Contributor, PartRecord } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import { viewAccess } from '../src/access-view.ts';
import { viewBatch } from '../src/batches/read-batches.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const SCRIPT = `PUB;${'a'.repeat(32)}`;

const RECORD: AccessRecord = {
  script: 1,
  username: 'Alice',
  spellingAccepted: true,
  version: 3,
  armedVersion: 0,
  base: { state: 'unknown' },
  at: 0,
  window: 0,
  tries: 0,
  lapses: 0,
  last: null,
  chain: [],
};
const change = { version: 1, part: 1 };
const grant: Contributor = { ...change, kind: 'set', expiresAt: NOW + DAY };
const extension: Contributor = { ...change, kind: 'extend', duration: { amount: 2, unit: 'D' }, acceptedAt: NOW };
const revoke: Contributor = { ...change, kind: 'revoke' };

const iso = (ms: number) => new Date(ms).toISOString();
const view = (record: Partial<AccessRecord>) => viewAccess({ ...RECORD, ...record }, SCRIPT, NOW);

test('an extension over an unread base desires nothing yet, over a known one or after an absolute it does', () => {
  expect(view({ chain: [extension] }).desired).toBeNull();
  const known = view({ base: { state: 'granted', expiresAt: NOW + DAY }, chain: [extension] });
  expect(known.desired).toEqual({ state: 'granted', expiresAt: iso(NOW + 3 * DAY) });
  expect(view({ chain: [grant, extension] }).desired).toEqual({ state: 'granted', expiresAt: iso(NOW + 3 * DAY) });
  expect(view({ chain: [revoke] }).desired).toEqual({ state: 'none', expiresAt: null });
});

test('with nothing pending, what is desired is what is known to be', () => {
  expect(view({}).desired).toBeNull();
  expect(view({ base: { state: 'granted', expiresAt: null } }).desired).toEqual({ state: 'granted', expiresAt: null });
});

test('a date that has passed is no access', () => {
  const { applied } = view({ base: { state: 'granted', expiresAt: NOW - 1 }, at: NOW - DAY, last: 'granted' });
  expect(applied).toEqual({ state: 'none', expiresAt: null, at: iso(NOW - DAY), outcome: 'granted' });
});

test('an access is pending while its chain is not empty, failed after a failure, settled otherwise', () => {
  expect(view({ chain: [grant], last: 'failed' }).status).toBe('pending');
  expect(view({ last: 'failed' }).status).toBe('failed');
  expect(view({ last: 'rejected' }).status).toBe('settled');
});

const BATCH: BatchRecord = {
  id: 'b_1',
  source: 'k',
  lane: 'bulk',
  accounts: ['one', 'two'],
  upload: 'complete',
  cancelled: false,
  acceptRevokes: true,
  rows: 12,
  rejected: 2,
  createdAt: NOW,
};
const OUTCOMES = {
  granted: 0,
  changed: 0,
  revoked: 0,
  unchanged: 0,
  superseded: 0,
  rejected: 0,
  failed: 0,
  cancelled: 0,
};
const PART: PartRecord = {
  id: 'b_1',
  number: 1,
  kind: 'batch',
  lane: 'bulk',
  source: 'k',
  watermark: 12,
  total: 5,
  pending: 0,
  outcomes: { ...OUTCOMES, granted: 5 },
  cancelled: false,
  acceptedAt: NOW,
  settledAt: NOW,
  ratePerSecond: 100,
  operation: null,
};

test('a batch is the sum of its parts, and its rate that of the parts that still have work', () => {
  const busy = { ...PART, pending: 3, outcomes: { ...OUTCOMES, granted: 1, failed: 1 }, ratePerSecond: 2 };
  expect(viewBatch(BATCH, [PART, busy])).toEqual({
    id: 'b_1',
    state: 'running',
    rows: 12,
    rejected: 2,
    total: 10,
    pending: 3,
    outcomes: { ...OUTCOMES, granted: 6, failed: 1 },
    ratePerSecond: 2,
    etaSeconds: 2,
    createdAt: iso(NOW),
  });
});

test.each([
  [{ upload: 'receiving' }, 'receiving'],
  [{ upload: 'interrupted' }, 'interrupted'],
  [{ cancelled: true }, 'cancelled'],
  [{}, 'done'],
] as const)('a batch with %j is %s', (record, state) => {
  expect(viewBatch({ ...BATCH, ...record }, [PART]).state).toBe(state);
});

test('there is no estimate while nothing settles', () => {
  expect(viewBatch(BATCH, [{ ...PART, pending: 1, ratePerSecond: 0 }]).etaSeconds).toBeNull();
  expect(viewBatch(BATCH, []).etaSeconds).toBe(0);
});
