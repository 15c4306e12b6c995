import {
  type AccessReading,
  checkHistory,
  type RecordedMember,
  type RecordedOperation,
  type RecordedWrite,
} from '@pinegate/testing';
import type { JournalEntry } from './journal.ts';
import type { SentOperation, StormRecord } from './record.ts';

/** All that is known when a storm is over. */
export interface Aftermath {
  readonly record: StormRecord;
  /** By account. */
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>;
  /** Pine id by account and index. */
  readonly scriptOf: (account: string, index: number) => string;
  readonly writes: readonly RecordedWrite[];
  readonly members: readonly RecordedMember[];
  readonly membersBefore: readonly RecordedMember[];
  readonly accesses: readonly AccessReading[];
  /** Outcome of single operations as the API tells it. */
  readonly outcomes: ReadonlyMap<string, string | null>;
  readonly readAt: number;
}

export interface Judgement {
  /** One line each; empty when nothing is wrong. */
  readonly wrong: readonly string[];
  /** Histories of the accesses that are wrong. */
  readonly histories: readonly string[];
  readonly keys: number;
  readonly operations: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly excusedOverlaps: number;
}

interface Placed extends RecordedOperation {
  /** Of its newest fate; null while it has none. */
  ended: string | null;
}

/** Compares what clients were told, what the journal says and what upstream holds. */
export function judge(aftermath: Aftermath): Judgement {
  const { record, readAt, writes, members, membersBefore, accesses } = aftermath;
  const { operations, endings, wrong } = placeOperations(aftermath);
  const verdict = checkHistory({
    operations,
    writes,
    members,
    membersBefore,
    batches: record.readings,
    accesses,
    frozen: record.frozen,
    readAt,
  });
  for (const { invariant, key, detail } of verdict.violations) wrong.push(`${invariant} ${key ?? ''} ${detail}`);
  wrong.unshift(...record.wrongAnswers);
  wrong.push(...compareAnswers(aftermath, endings));
  const keys = new Set(verdict.violations.flatMap(({ key }) => (key === null ? [] : [key])));
  const outcomes: Record<string, number> = {};
  for (const end of endings.values()) outcomes[end ?? 'none'] = (outcomes[end ?? 'none'] ?? 0) + 1;
  return {
    wrong,
    histories: [...keys].map((key) => verdict.history(key)),
    keys: verdict.keys,
    operations: operations.length,
    outcomes,
    excusedOverlaps: verdict.excusedOverlaps,
  };
}

/**
 * The operations that clients sent, each with the place in the order of its access that the journal gives it. What a client asked for is
 * taken from the client: a ledger that accepts something else, or something twice, is wrong here.
 */
function placeOperations({ record, journals, scriptOf }: Aftermath) {
  const operations: RecordedOperation[] = [];
  const endings = new Map<string, string | null>();
  const wrong: string[] = [];
  const doubtful = [...record.doubtful];
  for (const [account, journal] of journals) {
    const live = new Map<string, Placed>();
    for (const entry of journal) {
      const script = scriptOf(account, entry.script);
      const key = `${script} ${entry.username}`;
      const place = `${key} v${entry.version}`;
      switch (entry.kind) {
        case 'accepted': {
          const sent = sentAs(record, entry) ?? takeDoubtful(doubtful, script, entry);
          const source = `${entry.part} row ${entry.row}`;
          if (!sent || sent.script !== script || sent.username !== entry.username) {
            wrong.push(`I1 ${key} the ledger accepted ${source}, which nobody sent`);
          } else if (endings.has(source)) {
            wrong.push(`I3 ${key} the ledger accepted ${source} twice`);
          } else {
            endings.set(source, null);
            const placed = placeAt(sent, entry.version, entry.at, source);
            operations.push(placed);
            live.set(place, placed);
          }
          break;
        }
        case 'redriven': {
          const failed = live.get(`${key} v${entry.was}`);
          if (!failed) break;
          const again = placeAt(failed, entry.version, failed.from, failed.source);
          endings.set(failed.source, null);
          operations.push(again);
          live.set(place, again);
          break;
        }
        case 'ended': {
          const placed = live.get(place);
          if (!placed) break;
          if (placed.ended !== null) {
            wrong.push(`I1 ${key} ${placed.source} ended ${placed.ended} and then ${entry.outcome}`);
          }
          placed.ended = entry.outcome;
          (placed.outcomes as string[]).push(entry.outcome);
          endings.set(placed.source, entry.outcome);
          break;
        }
        case 'outlived': {
          const placed = live.get(place);
          if (placed) endings.set(placed.source, 'superseded');
        }
      }
    }
  }
  return { operations, endings, wrong };
}

function placeAt(sent: SentOperation, version: number, at: number, source: string): Placed {
  const { script, username, change } = sent;
  return { script, username, change, version, from: at, to: at, answered: true, outcomes: [], source, ended: null };
}

function sentAs(record: StormRecord, { part, row }: { part: string; row: number }): SentOperation | undefined {
  return record.singles.get(part) ?? record.batches.get(part)?.[row - 1];
}

// A date is known by its millisecond.
function takeDoubtful(
  doubtful: SentOperation[],
  script: string,
  entry: JournalEntry & { kind: 'accepted' },
): SentOperation | undefined {
  const i = doubtful.findIndex(({ script: s, username, change }) => {
    const expires = change.kind === 'set' ? change.expiresAt : null;
    return s === script && username === entry.username && expires === entry.expires;
  });
  return i === -1 ? undefined : doubtful.splice(i, 1)[0];
}

/** What clients were told against what the ledger did. */
function compareAnswers({ record, outcomes }: Aftermath, endings: ReadonlyMap<string, string | null>): string[] {
  const wrong: string[] = [];
  for (const id of record.singles.keys()) {
    const end = endings.get(`${id} row 1`);
    if (end === undefined) wrong.push(`I1 ${id} was answered and the ledger never accepted it`);
    else if (end !== null && outcomes.get(id) !== end)
      wrong.push(`I1 ${id} ended ${end}, the API shows ${outcomes.get(id)}`);
  }
  const last = new Map(record.readings.map((reading) => [reading.id, reading]));
  for (const [id, rows] of record.batches) {
    const ends = rows.map((_, i) => endings.get(`${id} row ${i + 1}`)).filter((end) => end !== undefined);
    const accepted = record.accepted.get(id);
    if (accepted !== undefined && accepted !== ends.length) {
      wrong.push(`I1 ${id}: ${accepted} rows were called accepted, ${ends.length} are in the ledger`);
    }
    const reading = last.get(id);
    if (!reading) continue;
    const counted: Record<string, number> = {};
    for (const end of ends) counted[end ?? 'pending'] = (counted[end ?? 'pending'] ?? 0) + 1;
    for (const [outcome, n] of Object.entries(reading.outcomes)) {
      if ((counted[outcome] ?? 0) !== n)
        wrong.push(`I8 ${id}: ${n} ${outcome} counted, ${counted[outcome] ?? 0} ended so`);
    }
    if (reading.total !== ends.length) wrong.push(`I8 ${id}: total ${reading.total}, accepted ${ends.length}`);
  }
  return wrong;
}
