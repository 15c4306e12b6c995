import { expect, test } from 'vitest';
import { checkHistory, type RecordedHistory, type RecordedOperation, type RecordedWrite } from '../src/index.ts';

const SCRIPT = 'PUB;a';
const T = Date.UTC(2030, 0, 31);
const JUNE = Date.UTC(2031, 5, 1);
const iso = (at: number) => new Date(at).toISOString();

function operation(change: RecordedOperation['change'], more: Partial<RecordedOperation> = {}): RecordedOperation {
  const base = { script: SCRIPT, username: 'Bob', version: null, from: T, to: T, answered: true };
  return { ...base, outcomes: ['granted'], source: 'test', change, ...more };
}

function write(expiration: number | null, more: Partial<RecordedWrite> = {}): RecordedWrite {
  const as = { op: 'modify', result: 'ok', applied: true, requestId: null, late: false, overlap: false } as const;
  const at = { seq: 1, at: T + 100, arrivedAt: T + 90, pine_id: SCRIPT, username: 'bob' };
  return { ...as, ...at, expiration: expiration === null ? null : iso(expiration), ...more };
}

const bob = (expiration: number | null) => ({
  script: SCRIPT,
  username: 'bob',
  expiration: expiration === null ? null : iso(expiration),
});

function wrong(history: Partial<RecordedHistory>): string[] {
  const { violations } = checkHistory({ operations: [], writes: [], members: [], readAt: T + 1_000, ...history });
  return violations.map((v) => v.invariant);
}

const set = (expiresAt: number | null) => ({ kind: 'set', expiresAt }) as const;
const extend = (duration: string) => ({ kind: 'extend', duration }) as const;
const REVOKE = { kind: 'revoke' } as const;

test('the last of the accepted operations must stand, in the order of their versions', () => {
  const operations = [
    operation(set(JUNE), { version: 2 }),
    operation(REVOKE, { version: 1, outcomes: ['superseded'] }),
  ];
  expect(wrong({ operations, members: [bob(JUNE)] })).toEqual([]);
  expect(wrong({ operations, members: [] })).toEqual(['I2']);
  expect(wrong({ operations, members: [bob(null)] })).toEqual(['I2']);
});

test('without versions the times order, and where they leave it open every order is right', () => {
  const later = operation(REVOKE, { from: T + 10, to: T + 20, outcomes: ['revoked'] });
  const operations = [operation(set(JUNE)), later];
  expect(wrong({ operations, members: [] })).toEqual([]);
  expect(wrong({ operations, members: [bob(JUNE)] })).toEqual(['I2']);
  const open = [operation(set(JUNE), { to: T + 15 }), later];
  expect(wrong({ operations: open, members: [] })).toEqual([]);
  expect(wrong({ operations: open, members: [bob(JUNE)] })).toEqual([]);
});

test('rows of one batch count in the order of their rows, whatever the times leave open', () => {
  const row = (number: number, change: RecordedOperation['change']) =>
    operation(change, { to: T + 50, batch: { id: 'b', row: number }, outcomes: ['granted', 'superseded'] });
  const operations = [row(2, set(JUNE)), row(1, REVOKE)];
  expect(wrong({ operations, members: [bob(JUNE)] })).toEqual([]);
  expect(wrong({ operations, members: [] })).toEqual(['I2']);
});

test('extensions add up one after another from the date found first, clamped to the month, and never twice', () => {
  const operations = [operation(extend('1M'), { version: 1 }), operation(extend('1M'), { version: 2 })];
  const found = { membersBefore: [bob(Date.UTC(2031, 0, 31))], operations };
  expect(wrong({ ...found, members: [bob(Date.UTC(2031, 2, 28))] })).toEqual([]);
  expect(wrong({ ...found, members: [bob(Date.UTC(2031, 2, 31))] })).toEqual(['I2']);
  expect(wrong({ ...found, members: [bob(Date.UTC(2031, 3, 28))] })).toEqual(['I2']);
  expect(wrong({ membersBefore: [bob(null)], operations, members: [bob(null)] })).toEqual([]);
});

test('an extension of nothing counts from its accept time, which is known to within the request', () => {
  const operations = [operation(extend('1D'), { to: T + 50 })];
  expect(wrong({ operations, members: [bob(T + 86_400_020)] })).toEqual([]);
  expect(wrong({ operations, members: [bob(T + 86_400_060)] })).toEqual(['I2']);
});

test('what was refused or cancelled has no effect, what failed is as its deciding read found it', () => {
  const before = { membersBefore: [bob(JUNE)] };
  for (const outcome of ['rejected', 'cancelled', 'failed']) {
    const operations = [operation(REVOKE, { outcomes: [outcome] })];
    expect(wrong({ ...before, operations, members: [bob(JUNE)] })).toEqual([]);
    expect(wrong({ ...before, operations, members: [] })).toEqual(outcome === 'failed' ? [] : ['I2']);
  }
});

test('a row of a batch that may have been superseded counts, unless what may have replaced it came later', () => {
  const row = operation(extend('1M'), { outcomes: ['changed', 'superseded'] });
  const before = { membersBefore: [bob(JUNE)] };
  const extended = bob(Date.UTC(2031, 6, 1));
  expect(wrong({ ...before, operations: [row], members: [bob(JUNE)] })).toEqual(['I2']);
  const cancelled = operation(REVOKE, { from: T + 5, to: T + 5, outcomes: ['cancelled'] });
  expect(wrong({ ...before, operations: [row, cancelled], members: [bob(JUNE)] })).toEqual([]);
  expect(wrong({ ...before, operations: [row, cancelled], members: [extended] })).toEqual([]);
});

test('a date that has passed is no access, on either side', () => {
  const readAt = JUNE + 1;
  expect(wrong({ operations: [operation(set(JUNE))], members: [], readAt })).toEqual([]);
  const revoked = operation(REVOKE, { outcomes: ['revoked'] });
  expect(wrong({ operations: [revoked], members: [bob(JUNE)], readAt })).toEqual([]);
});

test('a member nobody asked for is wrong, and so is a write on the way that nobody asked for', () => {
  expect(wrong({ members: [bob(JUNE)] })).toEqual(['I2']);
  const operations = [operation(extend('1M'), { version: 1 })];
  const history = { membersBefore: [bob(JUNE)], operations, members: [bob(Date.UTC(2031, 6, 1))] };
  expect(wrong({ ...history, writes: [write(Date.UTC(2031, 6, 1))] })).toEqual([]);
  expect(wrong({ ...history, writes: [write(Date.UTC(2031, 7, 1)), write(Date.UTC(2031, 6, 1))] })).toEqual(['I3']);
  expect(wrong({ ...history, writes: [write(Date.UTC(2031, 6, 1), { at: T - 1 })] })).toEqual(['I3']);
});

test('an accepted operation without an outcome is lost, one that was never answered may be', () => {
  expect(wrong({ operations: [operation(set(JUNE), { outcomes: [] })], members: [bob(JUNE)] })).toEqual(['I1']);
  const unanswered = [operation(set(JUNE), { outcomes: [], answered: false })];
  expect(wrong({ operations: unanswered, members: [] })).toEqual([]);
  expect(wrong({ operations: unanswered, members: [bob(JUNE)] })).toEqual([]);
});

test('two writes of one access at once are wrong, unless a worker stood still', () => {
  const history = {
    operations: [operation(set(JUNE))],
    members: [bob(JUNE)],
    writes: [write(JUNE, { overlap: true })],
  };
  expect(wrong(history)).toEqual(['I4']);
  expect(wrong({ ...history, frozen: [{ from: T, to: T + 95 }] })).toEqual([]);
});

test('a batch counts right at every instant and has nothing pending in the end', () => {
  const reading = (pending: number, granted: number, total = 3) => ({
    id: 'b1',
    at: T,
    total,
    pending,
    outcomes: { granted },
  });
  expect(wrong({ batches: [reading(3, 0), reading(1, 2), reading(0, 3)] })).toEqual([]);
  expect(wrong({ batches: [reading(2, 0), reading(0, 3)] })).toEqual(['I8']);
  expect(wrong({ batches: [reading(0, 3), reading(0, 2, 2)] })).toEqual(['I8']);
  expect(wrong({ batches: [reading(1, 2)] })).toEqual(['I1']);
});

test('what the API shows in the end must be what upstream holds', () => {
  const operations = [operation(set(JUNE))];
  const reading = (status: string, expiresAt: number) => [
    { script: SCRIPT, username: 'bob', status, applied: { state: 'granted', expiresAt: iso(expiresAt) } },
  ];
  const base = { operations, members: [bob(JUNE)] };
  expect(wrong({ ...base, accesses: reading('settled', JUNE) })).toEqual([]);
  expect(wrong({ ...base, accesses: reading('settled', JUNE + 1) })).toEqual(['I2']);
  expect(wrong({ ...base, accesses: reading('pending', JUNE) })).toEqual(['I1']);
});

test('of many superseded extensions, which can be written in too many ways, the end is judged all the same', () => {
  const superseded = Array.from({ length: 30 }, (_, i) =>
    operation(extend(`${2 ** (i % 13)}D`), { version: i + 1, from: T + i, to: T + i, outcomes: ['superseded'] }),
  );
  const operations = [...superseded, operation(set(null), { version: 31 })];
  expect(wrong({ operations, members: [bob(null)] })).toEqual([]);
  expect(wrong({ operations, members: [] })).toEqual(['I2']);
});

test('a wrong access is printed with all that happened to it', () => {
  const operations = [operation(set(JUNE), { version: 1, source: 'op-1' })];
  const verdict = checkHistory({ operations, writes: [write(JUNE)], members: [], readAt: T + 1_000 });
  expect(verdict.report()).toContain(
    'I2 PUB;a bob upstream holds no access, the operations give 2031-06-01T00:00:00.000Z',
  );
  expect(verdict.report()).toMatch(/accepted grant 2031-06-01T00:00:00.000Z \(v1, op-1\): granted\n.*write 1 modify/);
});
