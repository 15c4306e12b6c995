import type { Rejection, ScriptRoute, SubmitRow } from '@pinegate/ledger';
import { REVOKES_OFF } from '../refuse-by-flag.ts';
import type { RowChunk } from './row-chunks.ts';

/** What is to be done with the rows of one chunk. */
export interface ChunkPlan {
  readonly rejections: readonly Rejection[];
  /** Rows to submit, ascending, by account. */
  readonly rows: ReadonlyMap<string, readonly SubmitRow[]>;
}

/** What the verdict on a row depends on, besides the row. */
export interface PlanOptions {
  readonly routes: ReadonlyMap<string, ScriptRoute>;
  /** The request has an Idempotency-Key. */
  readonly mayExtend: boolean;
  /** Revokes were accepted when the batch began. */
  readonly acceptRevokes: boolean;
  /** Rows that stand rejected since an earlier request for the same batch. */
  readonly rejectedBefore: ReadonlySet<number>;
}

/** Tells the rows that are rejected from those that go to an account. Pure. */
export function planChunk(
  chunk: RowChunk,
  { routes, mayExtend, acceptRevokes, rejectedBefore }: PlanOptions,
): ChunkPlan {
  const rejections: Rejection[] = [];
  const rows = new Map<string, SubmitRow[]>();
  let number = chunk.first - 1;
  for (const parsed of chunk.rows) {
    number += 1;
    if (!parsed.ok) {
      rejections.push({ row: number, code: parsed.code, detail: parsed.detail });
      continue;
    }
    const { operation } = parsed;
    const route = routes.get(operation.script);
    if (route === undefined) {
      const detail = `No account has the script ${operation.script}.`;
      rejections.push({ row: number, code: 'unknown_script', detail });
    } else if (!acceptRevokes && operation.action === 'revoke') {
      rejections.push({ row: number, code: 'revokes_off', detail: REVOKES_OFF });
    } else if (!mayExtend && operation.action === 'grant' && operation.until.kind === 'extend') {
      const detail = 'An extension needs an Idempotency-Key: without one, a request sent again would extend twice.';
      rejections.push({ row: number, code: 'idempotency_key_required', detail });
    } else if (!rejectedBefore.has(number)) {
      const row = { row: number, script: route.index, operation };
      const known = rows.get(route.account);
      if (known === undefined) rows.set(route.account, [row]);
      else known.push(row);
    }
  }
  return { rejections, rows };
}
