import { LANES, type Lane } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import type { AccountLedger, LedgerTimes } from './account-ledger.ts';
import { createRefreshes } from './create-refreshes.ts';
import { NotReplicatedError } from './create-replicated-calls.ts';
import { createSubmits } from './create-submits.ts';
import {
  type AnswerWire,
  type ClaimWire,
  decodeClaim,
  decodeClaimedOrSettled,
  decodeFailure,
  decodePart,
  decodeRecentFailure,
  decodeRecord,
  decodeSettle,
  decodeSettled,
  type PartWire,
  type RecordWire,
  type SettleWire,
} from './decode-answers.ts';
import type { EpochMemory } from './epoch/create-epoch-guard.ts';
import { decodeHistory, type HistoryRecord } from './history-record.ts';
import type { Bells, Chunk, Claimed, Settled, Settlement } from './types.ts';
import { decodeEnded, type EndedWire, encodeState } from './wire.ts';

const CANCEL_KEYS = 1000;
const REDRIVE_LIMIT = 500;
const LIST_RECORDS = 2000;
/** When a key that could not be sent is due again. */
const RETRY_MS = 1000;
const HISTORY_ENTRIES = 1000;

/** As `run`; where the answer must survive a fail-over, replicas have it by then. */
export type RunSafe = (
  script: string,
  args: readonly (string | number)[],
  mustWait: (answer: unknown) => boolean,
) => Promise<unknown>;

interface Parts {
  readonly account: string;
  readonly tag: string;
  readonly redis: Redis;
  readonly run: (script: string, args: readonly (string | number)[]) => Promise<unknown>;
  readonly runSafe: RunSafe;
  readonly times: LedgerTimes;
  readonly epoch: EpochMemory | undefined;
}

/** The ledger of one account over its Lua scripts. */
export function createAccountLedger({ account, tag, redis, run, runSafe, times, epoch }: Parts): AccountLedger {
  const json = async <T>(script: string, args: readonly (string | number)[]) =>
    JSON.parse((await run(script, args)) as string) as T;
  const safeJson: SafeJson = async (script, args, mustWait) =>
    JSON.parse((await runSafe(script, args, (answer) => mustWait(answer as string))) as string);
  async function now(): Promise<number> {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  return {
    account,
    settledChannel: `${tag}:settled`,
    ...createSubmits((args) => safeJson('submit', args, always), times, epoch !== undefined),
    ...writing(json, run),
    ...working(json, safeJson, run, times, askedEpoch(account, epoch)),
    ...sweeping(json, run, redis, tag),
    ...reading(json, run, redis, tag),
    refreshes: createRefreshes({
      tag,
      redis,
      run,
      now,
      epoch: () => epoch?.current() ?? '',
      retentionMs: times.retentionMs,
    }),
    now,
  };
}

type Run = Parts['run'];
type Json = <T>(script: string, args: readonly (string | number)[]) => Promise<T>;
type SafeJson = <T>(
  script: string,
  args: readonly (string | number)[],
  mustWait: (answer: string) => boolean,
) => Promise<T>;

const always = () => true;
/** An extension among what was armed: its base must not be read anew after a fail-over. */
const hasExtension = (answer: string) => {
  const { needs = [] } = JSON.parse(answer) as Pick<ClaimWire, 'needs'>;
  return needs.some(({ need, chain = [] }) => need === 'write' && chain.some(([kind]) => kind === 'x'));
};
/** Only an answer that opened a window. */
const opensWindow = (settlements: readonly Settlement[]) => (answer: string) =>
  settlements.some(({ result }) => result === 'uncertain') || answer.includes('"lost"');

type Redriven = { redriven?: number; superseded?: number; refused?: number; more?: number; bells?: Bells };

// A process that knows no epoch must not get by as one that does not ask.
const NO_EPOCH = 'none';

/** What scripts that arm a write are told of the epoch, and what they tell. */
function askedEpoch(account: string, epoch: EpochMemory | undefined) {
  return {
    args: () => (epoch ? [epoch.current() ?? NO_EPOCH, epoch.seen(account)] : ['', 0]),
    saw: (beat: number) => epoch?.saw(account, beat),
  };
}

function writing(json: Json, run: Run) {
  return {
    async cancel(partId) {
      return (await run('cancel', [partId])) === 1;
    },
    async cancelSome() {
      const { left, ended } = await json<{ left: number; ended?: EndedWire[] }>('cancel-some', [CANCEL_KEYS]);
      return { left, ended: decodeEnded(ended) };
    },
    async redrivePart(partId) {
      const answer = await json<Redriven>('redrive', ['part', partId, REDRIVE_LIMIT]);
      return { redriven: 0, superseded: 0, refused: 0, more: 0, bells: {}, ...answer };
    },
    async redriveAccess(script, username) {
      const answer = await json<Redriven>('redrive', ['access', script, username.toLowerCase()]);
      return answer.redriven === undefined ? null : { redriven: 0, superseded: 0, refused: 0, bells: {}, ...answer };
    },
  } satisfies Partial<AccountLedger>;
}

function working(json: Json, safeJson: SafeJson, run: Run, times: LedgerTimes, epoch: ReturnType<typeof askedEpoch>) {
  /** What is armed and a fail-over might forget is not sent (R28): the claims are let go and nothing is spent (T5), or they would lapse. */
  function lettingGo(script: number, token: string, claimed: (answer: string) => readonly (Claimed | Settled)[]) {
    return async (error: unknown): Promise<never> => {
      if (error instanceof NotReplicatedError) {
        const common = {
          script,
          token,
          sent: false,
          result: 'unapplied',
          code: error.code,
          retryMs: RETRY_MS,
        } as const;
        const settlements = claimed(error.answer as string).flatMap((key) =>
          'version' in key ? { ...common, name: key.name, carried: key.version } : [],
        );
        const wire = JSON.stringify(settlementsWire(settlements).wire);
        await json('settle', [times.verifyDelayMs, wire]).catch(() => {});
      }
      throw error;
    };
  }

  return {
    async take(lane, job) {
      const answer = (await run('take', [lane, job])) as [string, string | null] | null;
      return decodeChunk(answer);
    },
    async close(lane, job, chunk) {
      await run('close', [lane, job, chunk]);
    },
    async claim(script, names, token, permits) {
      const answer = await safeJson<ClaimWire>(
        'claim',
        [
          script,
          token,
          times.leaseMs,
          times.freshMs,
          times.verifyDelayMs,
          times.maxTries,
          permits.grant,
          permits.revoke,
          permits.list,
          names.join(' '),
          ...epoch.args(),
        ],
        hasExtension,
      ).catch(lettingGo(script, token, (text) => decodeClaim(JSON.parse(text), names)));
      epoch.saw(answer.beat);
      return { keys: decodeClaim(answer, names), ended: decodeEnded(answer.ended), takeovers: answer.takeovers };
    },
    async fix(script, name, token, version, read, readAt) {
      const args = [script, name, token, version, encodeState(read), Math.floor(readAt), times.freshMs];
      const decode = (wire: AnswerWire) => decodeClaimedOrSettled(wire, name);
      const answer = safeJson<AnswerWire>('fix', [...args, ...epoch.args()], always);
      return decode(await answer.catch(lettingGo(script, token, (text) => [decode(JSON.parse(text))])));
    },
    async final(script, name, token, target, read, readAt) {
      const args = [script, name, token, encodeState(target), encodeState(read), Math.floor(readAt)];
      return decodeSettled(await json<AnswerWire>('final', args));
    },
    async verified(script, name, token, read, readAt) {
      const args = [script, name, token, encodeState(read), Math.floor(readAt), times.freshMs];
      return decodeClaimedOrSettled(await json<AnswerWire>('verified', [...args, ...epoch.args()]), name);
    },
    async settle(settlements) {
      const { wire, order } = settlementsWire(settlements);
      // What is settled is settled: there is nobody to refuse it to.
      const asItIs = (error: unknown) => {
        if (error instanceof NotReplicatedError) return JSON.parse(error.answer as string) as SettleWire;
        throw error;
      };
      const args = [times.verifyDelayMs, JSON.stringify(wire)];
      const answer = await safeJson<SettleWire>('settle', args, opensWindow(settlements)).catch(asItIs);
      const settled: Settled[] = [];
      for (const [i, key] of decodeSettle(answer).entries()) settled[order[i] ?? i] = key;
      return settled;
    },
  } satisfies Partial<AccountLedger>;
}

type SettlementsWire = SettlementWire & {
  /** Name and version carried of each key that it is the same of. */
  readonly k: (string | number)[];
};

/** Settlements that differ in nothing but their key go together. `order`: of each key on the wire its place among the settlements. */
function settlementsWire(settlements: readonly Settlement[]) {
  const alike = new Map<string, { readonly wire: SettlementsWire; readonly places: number[] }>();
  for (const [place, settlement] of settlements.entries()) {
    const common = settlementWire(settlement);
    const id = Object.values(common).join(' ');
    let group = alike.get(id);
    if (!group) {
      group = { wire: { ...common, k: [] }, places: [] };
      alike.set(id, group);
    }
    group.wire.k.push(settlement.name, settlement.carried);
    group.places.push(place);
  }
  const groups = [...alike.values()];
  return { wire: groups.map(({ wire }) => wire), order: groups.flatMap(({ places }) => places) };
}

type SettlementWire = ReturnType<typeof settlementWire>;

function settlementWire(s: Settlement) {
  const common = { r: s.result, s: s.script, t: s.token, sent: s.sent };
  switch (s.result) {
    case 'applied':
      return { ...common, to: encodeState(s.target), o: s.outcome, sp: spellingWire(s), vf: s.verify };
    case 'rejected':
      return { ...common, c: s.code, sp: spellingWire(s) };
    case 'uncertain':
      return { ...common, c: s.code, ms: Math.round(s.retryMs), spend: s.spend };
    case 'unapplied':
      return { ...common, c: s.code, ms: Math.round(s.retryMs) };
  }
}

/** true = as the key. */
function spellingWire({ name, spelling }: { readonly name: string; readonly spelling?: string }) {
  return spelling === name ? true : spelling;
}

function sweeping(json: Json, run: Run, redis: Redis, tag: string) {
  return {
    async sweepDue(limit) {
      const answer = await json<{ moved: number; bells?: Bells; next?: number }>('sweep-due', [limit]);
      return { moved: answer.moved, bells: answer.bells ?? {}, nextDue: answer.next ?? null };
    },
    async takenChunks(lane) {
      const all = await redis.hgetall(`${tag}:took:${lane}`);
      return Object.entries(all).map(([job, chunk]) => ({ job, chunk }));
    },
    async putBack(lane, job, chunk) {
      return (await run('put-back', [lane, job, chunk])) === 1;
    },
    async summary() {
      const got = (await run('summary', [])) as (number | string)[];
      const perLane = (from: number) =>
        Object.fromEntries(LANES.map((lane, i) => [lane, Number(got[from + i])])) as Record<Lane, number>;
      return {
        pending: perLane(0),
        waitingChunks: perLane(4),
        cancelsUnderWay: Number(got[8]),
        nextDue: got[9] === '' ? null : Number(got[9]),
        now: Number(got[10]),
        openChunks: Number(got[11]),
        waitingSince: Object.fromEntries(
          LANES.map((lane, i) => [lane, got[12 + i] === '' ? null : Number(got[12 + i])]),
        ) as Record<Lane, number | null>,
      };
    },
  } satisfies Partial<AccountLedger>;
}

function decodeChunk(answer: readonly [string, string | null] | null): Chunk | null {
  if (!answer?.[1]) return null;
  const [head = '', ...names] = answer[1].split('\n');
  const [script, action, , turn = ''] = head.split(' ');
  return { id: answer[0], script: Number(script), action: action === 'revoke' ? 'revoke' : 'grant', turn, names };
}

function reading(json: Json, run: Run, redis: Redis, tag: string) {
  return {
    async lookAtChunks(lane, jobs) {
      if (jobs.length === 0) return [];
      return ((await run('look-at-chunks', [lane, ...jobs])) as ([string, string] | null)[]).map(decodeChunk);
    },
    async openBatches(limit) {
      return (await run('open-parts', [limit])) as string[];
    },
    async recentFailures() {
      return (await redis.lrange(`${tag}:recent`, 0, -1)).map(decodeRecentFailure);
    },
    async readAccess(script, names) {
      const args = [script, names.map((n) => n.toLowerCase()).join(' ')];
      const { records = [] } = await json<{ records?: (RecordWire | false)[] }>('read-access', args);
      return records.map((r) => (r ? decodeRecord(r) : null));
    },
    async listAccess(script, cursor, limit, status) {
      const [bucket = '0', name = ''] = cursor === null ? [] : cursor.split(':');
      const args = [script, bucket, name, limit, LIST_RECORDS, status ?? ''];
      const answer = await json<{ records?: RecordWire[]; bucket?: number; name?: string }>('list-access', args);
      const next = answer.bucket === undefined ? null : `${answer.bucket}:${answer.name}`;
      return { items: (answer.records ?? []).map(decodeRecord), next };
    },
    async readHistory(script, name, cursor, limit) {
      const [from = '+', skip = '0'] = cursor === null ? [] : cursor.split(':');
      const args = [`${script}:${name.toLowerCase()}`, from, skip, HISTORY_ENTRIES, limit];
      const [id, skipped, ...found] = (await run('read-history', args)) as string[];
      const items: HistoryRecord[] = [];
      for (let i = 0; i < found.length; i += 3) {
        items.push(decodeHistory(found[i] ?? '', found[i + 1] ?? '', found[i + 2] ?? ''));
      }
      return { items, next: id === '' ? null : `${id}:${skipped}` };
    },
    async readParts(ids) {
      if (ids.length === 0) return [];
      const { parts = [] } = await json<{ parts?: (PartWire | false)[] }>('read-parts', ids);
      return parts.map((p) => (p ? decodePart(p) : null));
    },
    async listFailures(partId, cursor, limit) {
      const offset = cursor === null ? 0 : Number(cursor);
      const [total, texts] = (await run('list-failures', [partId, offset, limit])) as [number, string[]];
      const end = offset + texts.length;
      return { items: texts.map(decodeFailure), next: end < total ? String(end) : null };
    },
  } satisfies Partial<AccountLedger>;
}
