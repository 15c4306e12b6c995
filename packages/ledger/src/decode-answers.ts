import { OUTCOMES, type Outcome } from '@pinegate/access';
import type {
  AccessRecord,
  Claimed,
  ClaimedWork,
  Drift,
  FailureRecord,
  PartRecord,
  RecentFailure,
  Settled,
} from './types.ts';
import {
  type ContributorWire,
  decodeChange,
  decodeContributor,
  decodeEnded,
  decodeState,
  type EndedWire,
  type StateText,
} from './wire.ts';

/** One key of claim, fix, final or verified. `tv` is left out where it is `v`, `base` where unknown, what is 0, false or '' too. */
export interface AnswerWire {
  readonly need: string;
  readonly at?: number;
  readonly budget?: 'grant' | 'revoke' | 'list';
  readonly v?: number;
  readonly tv?: number;
  readonly base?: StateText;
  readonly sure?: boolean;
  readonly spelling?: string;
  readonly accepted?: boolean;
  readonly chain?: readonly ContributorWire[];
  readonly tries?: number;
  readonly validate?: boolean;
  readonly member?: boolean;
  readonly ended?: readonly EndedWire[];
}

/** `keys`: of each name the number of what it needs, counted from 1. */
export interface ClaimWire {
  readonly at: number;
  readonly needs?: readonly AnswerWire[];
  readonly keys?: readonly number[];
  readonly ended?: readonly EndedWire[];
  readonly takeovers: number;
  readonly beat: number;
}

/** One key of settle: `ended` is the number of a list; of one that is done the number alone, 0 where nothing ended. */
export type SettledWire = number | { readonly need: string; readonly at?: number; readonly ended?: number };

export interface SettleWire {
  readonly keys?: readonly SettledWire[];
  readonly ended?: readonly (readonly EndedWire[])[];
}

const WORK = new Set(['write', 'base', 'final', 'verify']);

/** Of all names of a claim, in their order; those that need the same share their chain. */
export function decodeClaim({ at, needs = [], keys = [] }: ClaimWire, names: readonly string[]): Claimed[] {
  const decoded = needs.map((wire) => decodeClaimed(wire, '', at));
  return keys.map((number, i) => {
    const name = names[i] ?? '';
    const same = decoded[number - 1] as Claimed;
    return 'spelling' in same ? { ...same, name, spelling: same.spelling || name } : { ...same, name };
  });
}

/** @param claimedAt Redis TIME of the claim, ms */
function decodeClaimed(wire: AnswerWire, name: string, claimedAt: number): Claimed {
  if (WORK.has(wire.need)) return { name, need: wire.need as 'write', ...decodeWork(wire, name, claimedAt) };
  if (wire.need === 'wait') return { name, need: 'wait', at: wire.at ?? 0 };
  if (wire.need === 'permit') return { name, need: 'permit', budget: wire.budget ?? 'list' };
  return { name, need: wire.need as 'held' | 'done' };
}

function decodeWork(wire: AnswerWire, name: string, claimedAt: number): ClaimedWork {
  return {
    claimedAt,
    version: wire.v ?? 0,
    armedVersion: wire.tv ?? wire.v ?? 0,
    base: decodeState(wire.base ?? '?'),
    sure: wire.sure === true,
    spelling: wire.spelling ?? name,
    spellingAccepted: wire.accepted === true,
    chain: (wire.chain ?? []).map(decodeContributor),
    tries: wire.tries ?? 0,
    validate: wire.validate === true,
    ...(wire.member === undefined ? {} : { member: wire.member }),
  };
}

export function decodeSettled(wire: AnswerWire): Settled {
  return settledOf(wire, decodeEnded(wire.ended));
}

function settledOf(
  { need, at = 0 }: { readonly need: string; readonly at?: number },
  ended: Settled['ended'],
): Settled {
  if (need === 'wait') return { need, at, ended };
  return { need: need as 'done' | 'again' | 'lost', ended };
}

/** Of all keys of a settle, in their order; keys that ended alike share a list. */
export function decodeSettle({ keys = [], ended = [] }: SettleWire): Settled[] {
  const lists = [[], ...ended.map(decodeEnded)];
  const listOf = (number = 0) => lists[number] ?? [];
  return keys.map((key) =>
    typeof key === 'number' ? { need: 'done', ended: listOf(key) } : settledOf(key, listOf(key.ended)),
  );
}

/** fix and verified answer with work that goes on under the claim, or with what is left. */
export function decodeClaimedOrSettled(wire: AnswerWire, name: string): Claimed | Settled {
  return WORK.has(wire.need) ? decodeClaimed(wire, name, wire.at ?? 0) : decodeSettled(wire);
}

export interface RecordWire {
  readonly script: number;
  readonly username: string;
  readonly accepted: boolean;
  readonly v: number;
  readonly tv: number;
  readonly base: StateText;
  readonly at: number;
  readonly window: number;
  readonly tries: number;
  readonly lapses: number;
  readonly last?: Outcome;
  readonly chain?: readonly ContributorWire[];
}

export function decodeRecord(wire: RecordWire): AccessRecord {
  return {
    script: wire.script,
    username: wire.username,
    spellingAccepted: wire.accepted,
    version: wire.v,
    armedVersion: wire.tv,
    base: decodeState(wire.base),
    at: wire.at,
    window: wire.window,
    tries: wire.tries,
    lapses: wire.lapses,
    last: wire.last ?? null,
    chain: (wire.chain ?? []).map(decodeContributor),
  };
}

export type PartWire = Readonly<Record<string, string | number>>;

export function decodePart(wire: PartWire): PartRecord {
  const number = (field: string) => Number(wire[field] ?? 0);
  const text = (field: string) => String(wire[field] ?? '');
  const outcomes = Object.fromEntries(OUTCOMES.map((o) => [o, number(o)])) as Record<Outcome, number>;
  const single = wire.kind === 's';
  return {
    id: text('id'),
    number: number('number'),
    kind: single ? 'single' : 'batch',
    lane: wire.class === 's' ? 'single' : 'bulk',
    source: text('source'),
    watermark: number('wm'),
    total: number('total'),
    pending: number('pending'),
    outcomes,
    cancelled: wire.stopped === '1',
    acceptedAt: number('at'),
    settledAt: wire.settledAt === undefined ? null : number('settledAt'),
    ratePerSecond: number('rate'),
    operation: single
      ? {
          script: number('script'),
          username: text('name'),
          version: number('v'),
          outcome: wire.outcome ? (text('outcome') as Outcome) : null,
          error: wire.error ? text('error') : null,
        }
      : null,
  };
}

interface FailureWire {
  readonly s: string | number;
  readonly n: string;
  readonly v: number;
  readonly o: 'rejected' | 'failed';
  readonly c: string;
  readonly x: ContributorWire;
  readonly at: number;
}

export function decodeRecentFailure(text: string): RecentFailure {
  const wire = JSON.parse(text) as FailureWire & { readonly p: string; readonly k: 's' | 'b' };
  return { ...failureOf(wire), part: wire.p, kind: wire.k === 's' ? 'single' : 'batch' };
}

export function decodeFailure(text: string): FailureRecord {
  return failureOf(JSON.parse(text) as FailureWire);
}

function failureOf(wire: FailureWire): FailureRecord {
  return {
    script: Number(wire.s),
    username: wire.n,
    version: wire.v,
    outcome: wire.o,
    code: wire.c,
    change: decodeChange(wire.x),
    at: wire.at,
  };
}

export type DriftWire = readonly [name: string, ledger: StateText, upstream: StateText];

export function decodeDrift(wire: readonly DriftWire[] | undefined): Drift[] {
  return (wire ?? []).map(([username, ledger, upstream]) => ({
    username,
    ledger: decodeState(ledger),
    upstream: decodeState(upstream),
  }));
}
