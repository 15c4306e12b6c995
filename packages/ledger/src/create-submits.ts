import { onceATurn } from '@pinegate/runtime';
import type { AccountLedger, LedgerTimes } from './account-ledger.ts';
import { decodeRecord, type RecordWire } from './decode-answers.ts';
import type { Bells, EndedCount, PartRef, SubmitResult, SubmitRow } from './types.ts';
import { encodeOperation } from './wire.ts';

/** So many operations fill a chunk, and keep a call well below a millisecond of Redis. */
const TOGETHER = 50;

interface Submission {
  readonly part: PartRef;
  readonly after: number;
  readonly rows: readonly SubmitRow[];
}

interface Gathered extends Submission {
  resolve(result: SubmitResult): void;
  reject(error: unknown): void;
}

interface SubmissionWire {
  readonly s: SubmitResult['status'];
  readonly part: number;
  readonly wm: number;
  readonly refused?: number[];
  readonly ended?: [EndedCount['outcome'], EndedCount['action'], number][];
  readonly record?: RecordWire;
}

interface SubmitWire {
  readonly at: number;
  readonly bells?: Bells;
  readonly submissions: readonly SubmissionWire[];
}

/**
 * What accepts operations. @param send runs `submit.lua` with such arguments and resolves to its answer, once replicas have it where they must
 */
export function createSubmits(
  send: (args: readonly (string | number)[]) => Promise<SubmitWire>,
  times: Pick<LedgerTimes, 'freshMs' | 'retentionMs'>,
  mustHaveEpoch: boolean,
): Pick<AccountLedger, 'submit' | 'submitSingle'> {
  const common = [times.freshMs, times.retentionMs, mustHaveEpoch ? 1 : 0];
  let gathered: Gathered[] = [];

  async function submitAll(submissions: readonly Submission[]): Promise<SubmitResult[]> {
    const { at, bells = {}, submissions: answers } = await send([...common, ...submissions.flatMap(encodeSubmission)]);
    const first = answers.findIndex(({ s }) => s === 'taken');
    return answers.map((answer, i) => decodeSubmission(answer, at, i === first ? bells : {}));
  }

  async function sendTogether(together: readonly Gathered[]): Promise<void> {
    try {
      const results = await submitAll(together);
      for (const [i, { resolve }] of together.entries()) resolve(results[i] as SubmitResult);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  const sendGathered = onceATurn(() => {
    const all = gathered;
    gathered = [];
    for (let i = 0; i < all.length; i += TOGETHER) void sendTogether(all.slice(i, i + TOGETHER));
  });

  return {
    async submit(part, after, rows) {
      const [result] = await submitAll([{ part, after, rows }]);
      return result as SubmitResult;
    },
    submitSingle(part, row) {
      return new Promise((resolve, reject) => {
        gathered.push({ part, after: 0, rows: [row], resolve, reject });
        sendGathered();
      });
    },
  };
}

function encodeSubmission({ part, after, rows }: Submission): (string | number)[] {
  const lines = rows.map((r) => `${r.row} ${r.script} ${encodeOperation(r.operation)}\n`).join('');
  const [kind, lane] = [part.kind === 'single' ? 's' : 'b', part.lane === 'single' ? 's' : 'b'];
  return [part.id, kind, lane, part.turn, part.source, after, part.validate ? 1 : 0, lines];
}

function decodeSubmission(answer: SubmissionWire, acceptedAt: number, bells: Bells): SubmitResult {
  if (answer.s === 'gap') return { status: 'gap', watermark: answer.wm };
  if (answer.s === 'cancelled') return { status: 'cancelled' };
  const { part, refused = [] } = answer;
  const ended = (answer.ended ?? []).map(([outcome, action, count]) => ({ outcome, action, count }));
  const record = answer.record ? decodeRecord(answer.record) : null;
  return { status: 'taken', part, acceptedAt, refused, bells, ended, record };
}
