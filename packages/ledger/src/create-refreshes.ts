import type { Redis } from '@pinegate/runtime';
import { type DriftWire, decodeDrift } from './decode-answers.ts';
import {
  DRIFT_KINDS,
  type DriftKind,
  driftKindOf,
  type Refreshes,
  type RefreshMode,
  type RefreshRun,
} from './refresh-types.ts';
import type { Drift } from './types.ts';
import { encodeState } from './wire.ts';

const LEASE_MS = 30_000;
const KEPT_DRIFT = 10_000;
const ABSENT_KEYS = 1_000;

interface Parts {
  readonly tag: string;
  readonly redis: Redis;
  readonly run: (script: string, args: readonly (string | number)[]) => Promise<unknown>;
  readonly now: () => Promise<number>;
  /** The epoch in force; '' = none known. A whole list taken as known is noted under it. */
  readonly epoch: () => string;
  readonly retentionMs: number;
}

/** The refreshes of one account over their Lua scripts. */
export function createRefreshes({ tag, redis, run, now, epoch, retentionMs }: Parts): Refreshes {
  return {
    async begin(id, script, mode) {
      const [status, other] = (await run('refresh-begin', [id, script, mode, retentionMs])) as string[];
      return { status: status as 'begun', id: other ?? id };
    },
    async read(id) {
      const fields = await redis.hgetall(`${tag}:refresh-run:${id}`);
      return fields.mode === undefined ? null : decodeRun(id, fields);
    },
    async drift(id, kind, cursor, limit) {
      const offset = cursor === null ? 0 : Number(cursor);
      const texts = await redis.lrange(`${tag}:refresh-drift:${id}:${kind}`, offset, offset + limit);
      const items = decodeDrift(texts.slice(0, limit).map((text) => JSON.parse(text) as DriftWire));
      return { items, next: texts.length > limit ? String(offset + limit) : null };
    },
    async take(id, token) {
      const answer = (await run('refresh-take', [id, token, LEASE_MS, retentionMs])) as string[];
      const [status, script, mode, compared] = answer;
      if (status !== 'taken') return { status: status as 'held' | 'over' };
      return { status, script: Number(script), mode: mode as RefreshMode, compared: compared === '1' };
    },
    async note(id, token, { drift = [], compared, ...numbers }) {
      const set = { ...numbers, ...(compared === undefined ? {} : { compared: compared ? 1 : 0 }) };
      const byKind = drift.length === 0 ? {} : encodeDrift(drift, await now());
      const wire = JSON.stringify({ set, drift: byKind });
      return (await run('refresh-note', [id, token, LEASE_MS, retentionMs, KEPT_DRIFT, wire])) === 1;
    },
    async end(id, token, state, code) {
      return (await run('refresh-end', [id, token, state, code ?? '', retentionMs])) === 1;
    },
    async release(id, token) {
      await run('refresh-release', [id, token]);
    },
    async stale(ms) {
      return (await run('refresh-stale', [ms])) as string[];
    },
    async page(script, seen, since, adopt, members) {
      const lines = members.map((m) => `${m.username} ${m.expiresAt ?? 'l'}\n`).join('');
      const args = [script, `refresh-seen:${seen}`, Math.floor(since), adopt ? 1 : 0, lines];
      const answer = JSON.parse((await run('refresh-page', args)) as string) as {
        drift?: DriftWire[];
        known: number;
        skipped: number;
      };
      return { drift: decodeDrift(answer.drift), known: answer.known, skipped: answer.skipped };
    },
    async absent(script, seen, since, adopt, bucket) {
      const args = [script, `refresh-seen:${seen}`, Math.floor(since), adopt ? 1 : 0, bucket, ABSENT_KEYS, epoch()];
      const answer = JSON.parse((await run('refresh-absent', args)) as string) as {
        drift?: DriftWire[];
        known: number;
        bucket?: number;
        lost?: boolean;
      };
      const { known, bucket: next = null, lost = false } = answer;
      return { drift: decodeDrift(answer.drift), known, next, lost };
    },
  };
}

function encodeDrift(drift: readonly Drift[], now: number): Partial<Record<DriftKind, DriftWire[]>> {
  const byKind: Partial<Record<DriftKind, DriftWire[]>> = {};
  for (const entry of drift) {
    const kind = driftKindOf(entry, now);
    const wire = [entry.username, encodeState(entry.ledger), encodeState(entry.upstream)] as const;
    byKind[kind] = [...(byKind[kind] ?? []), wire];
  }
  return byKind;
}

function decodeRun(id: string, fields: Readonly<Record<string, string>>): RefreshRun {
  const number = (field: string) => Number(fields[field] ?? 0);
  const time = (field: string) => (fields[field] === undefined ? null : number(field));
  return {
    id,
    script: number('script'),
    mode: fields.mode as RefreshMode,
    state: fields.state as RefreshRun['state'],
    code: fields.code || null,
    pages: number('pages'),
    members: number('members'),
    compared: fields.compared === '1',
    known: number('known'),
    skipped: number('skipped'),
    drift: Object.fromEntries(DRIFT_KINDS.map((kind) => [kind, number(kind)])) as Record<DriftKind, number>,
    createdAt: number('createdAt'),
    startedAt: time('startedAt'),
    endedAt: time('endedAt'),
  };
}
