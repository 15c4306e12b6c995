import { describe, expect, test } from 'vitest';
import type { JournalEntry } from './journal.ts';
import { type Aftermath, judge } from './judge.ts';
import { createRecord, type SentOperation } from './record.ts';

const SCRIPT = 'PUB;a';
const AT = Date.UTC(2030, 0, 1);
const LIFE: SentOperation = { script: SCRIPT, username: 'bob', change: { kind: 'set', expiresAt: null } };
const MONTH: SentOperation = { script: SCRIPT, username: 'bob', change: { kind: 'extend', duration: '1M' } };

const common = { script: 1, username: 'bob', at: AT };
const accepted = (part: string, version: number, row = 1): JournalEntry => {
  return { kind: 'accepted', part, version, row, expires: null, ...common };
};
const ended = (part: string, version: number, outcome: string): JournalEntry => {
  return { kind: 'ended', part, version, outcome, code: null, ...common };
};
const LIFETIME = { script: SCRIPT, username: 'Bob', expiration: null };
const until = (date: string) => ({ ...LIFETIME, expiration: date });

function judged(journal: JournalEntry[], more: Partial<Aftermath> = {}, sent = new Map([['op', LIFE]])) {
  const record = { ...createRecord(), singles: sent };
  const last = new Map(journal.flatMap((e) => (e.kind === 'ended' ? [[e.part, e.outcome] as const] : [])));
  return judge({
    record,
    journals: new Map([['a', journal]]),
    scriptOf: () => SCRIPT,
    writes: [],
    members: [LIFETIME],
    membersBefore: [],
    accesses: [],
    outcomes: last,
    readAt: AT + 1_000,
    ...more,
  }).wrong;
}

describe('the judge of a storm', () => {
  test('finds nothing wrong where the ledger did what clients asked for', () => {
    expect(judged([accepted('op', 1), ended('op', 1, 'granted')])).toEqual([]);
  });

  test('misses an operation that was answered and is not in the ledger, or has no outcome', () => {
    expect(judged([], { members: [] })).toEqual(['I1 op was answered and the ledger never accepted it']);
    expect(judged([accepted('op', 1)])).toEqual([expect.stringContaining('reached no outcome')]);
  });

  test('sees an operation that was accepted twice, or that nobody sent, or that ended twice', () => {
    const once = [accepted('op', 1), ended('op', 1, 'granted')];
    expect(judged([...once, accepted('op', 2)])).toEqual([`I3 ${SCRIPT} bob the ledger accepted op row 1 twice`]);
    expect(judged([...once, accepted('other', 2)])).toEqual([expect.stringContaining('which nobody sent')]);
    expect(judged([...once, ended('op', 1, 'granted')])).toEqual([expect.stringContaining('ended granted and then')]);
  });

  test('takes the order of an access from the ledger', () => {
    const sent = new Map<string, SentOperation>([
      ['op', LIFE],
      ['no', { ...LIFE, change: { kind: 'revoke' } }],
    ]);
    const journal = (life: number, revoke: number) => [
      accepted('op', life),
      accepted('no', revoke),
      ended('op', life, 'granted'),
      ended('no', revoke, 'revoked'),
    ];
    expect(judged(journal(2, 1), {}, sent)).toEqual([]);
    expect(judged(journal(1, 2), {}, sent)).toEqual([expect.stringContaining('I2')]);
  });

  test('counts an extension that failed and was redriven from its own accept time, once', () => {
    const sent = new Map([['op', MONTH]]);
    const journal: JournalEntry[] = [
      accepted('op', 1),
      ended('op', 1, 'failed'),
      { kind: 'redriven', part: 'op', version: 2, was: 1, ...common, at: AT + 500 },
      ended('op', 2, 'changed'),
    ];
    expect(judged(journal, { members: [until('2030-02-01T00:00:00.000Z')] }, sent)).toEqual([]);
    expect(judged(journal, { members: [until('2030-04-01T00:00:00.000Z')] }, sent)).toEqual([
      expect.stringContaining('I2'),
    ]);
  });

  test('compares the outcome that a client is shown with the one the ledger gave', () => {
    const journal = [accepted('op', 1), ended('op', 1, 'granted')];
    const outcomes = new Map([['op', 'changed']]);
    expect(judged(journal, { outcomes })).toEqual(['I1 op ended granted, the API shows changed']);
  });

  test('compares the rows that were called accepted, and the counts of the batch, with the ledger', () => {
    const record = createRecord();
    record.batches.set('b', [LIFE, LIFE]);
    record.accepted.set('b', 2);
    record.readings.push({ id: 'b', at: AT, total: 1, pending: 0, outcomes: { changed: 1 } });
    const journal = [accepted('b', 1), ended('b', 1, 'granted')];
    expect(judged(journal, { record })).toEqual([
      'I1 b: 2 rows were called accepted, 1 are in the ledger',
      'I8 b: 1 changed counted, 0 ended so',
    ]);
  });
});
