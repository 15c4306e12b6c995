import { randomUUID } from 'node:crypto';
import { type Operation, parseOperation } from '@pinegate/access';
import type { AccountLedger, ScriptRoute } from '@pinegate/ledger';
import type { FastifyRequest } from 'fastify';
import { viewAccess } from './access-view.ts';
import type { ApiContext } from './api-context.ts';
import { keyOf } from './authenticate.ts';
import { routeOf } from './find-access.ts';
import { type Answer, answerOnce, derivedId, idempotencyKeyOf } from './idempotency.ts';
import { preferredWaitMs } from './prefer-wait.ts';
import { Problem, problemOfRow } from './problem.ts';
import { refuseRevokes } from './refuse-by-flag.ts';
import { refuseWhenFull } from './refuse-when-full.ts';
import type { ReplyPort } from './reply-port.ts';

/**
 * Takes one operation: writes it to the ledger, rings, and answers with the access and the id of the operation; 200 where
 * it has settled within the time that the client prefers to wait, else 202.
 * @param raw the operation in the JSON form of a row.
 */
export async function submitSingle(
  context: ApiContext,
  request: FastifyRequest,
  reply: ReplyPort,
  raw: Readonly<Record<string, unknown>>,
): Promise<void> {
  refuseWhenFull(context);
  const parsed = parseOperation(raw, context.now());
  if (!parsed.ok) throw problemOfRow(parsed);
  const { operation } = parsed;
  const extendsAccess = operation.action === 'grant' && operation.until.kind === 'extend';
  if (extendsAccess && idempotencyKeyOf(request) === null) {
    const detail = 'An extension needs an Idempotency-Key: without one, a request sent again would extend twice.';
    throw new Problem('idempotency_key_required', detail);
  }
  const route = await routeOf(context.directory, operation.script);
  const waitMs = preferredWaitMs(request, reply, 0);
  const resource = `${route.account}.${(derivedId(request) ?? freshId()).toString('base64url')}`;
  const closed = new AbortController();
  // Only who waits cares: an abort costs more than all else that is done here.
  if (waitMs > 0) reply.raw.once('close', () => closed.abort());
  const work = (id: string) => {
    // Not before: a request that was answered once is answered again.
    if (operation.action === 'revoke') refuseRevokes(context.flags);
    const taken = (part: number) => {
      request.about = { operation: id, account: route.account, part: [`${route.account}:${part}`] };
    };
    const source = keyOf(request).id;
    return submit(context, { id, operation, route, source, waitMs, signal: closed.signal, taken });
  };
  return answerOnce(context.directory.idempotency, request, reply, work, resource);
}

// Node makes UUIDs from a store of random bytes; asking the system for 16 bytes each time takes 20 µs.
function freshId(): Buffer {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

interface Submission {
  readonly id: string;
  readonly operation: Operation;
  readonly route: ScriptRoute;
  readonly source: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told as what the operation was taken, for the request's log line. */
  taken(part: number): void;
}

async function submit(context: ApiContext, submission: Submission): Promise<Answer> {
  const { id, operation, route, source, waitMs, signal } = submission;
  const ledger = context.ledger.account(route.account);
  const wait = waitMs > 0 ? await context.settled.listen(ledger.settledChannel, id) : null;
  try {
    const part = { id, kind: 'single', lane: 'single', turn: source, source } as const;
    const result = await ledger.submitSingle(part, { row: 1, script: route.index, operation });
    if (result.status !== 'taken') throw new Error(`The ledger answered ${result.status} to a single operation.`);
    if (result.refused.length > 0) {
      context.counters.rows.inc({ verdict: 'rejected' });
      const detail = 'Send it with a new Idempotency-Key when some of them have settled.';
      throw new Problem('too_many_pending', detail, { retryAfter: 5 });
    }
    submission.taken(result.part);
    context.counters.rows.inc({ verdict: 'accepted' });
    context.counters.ended(result.ended);
    await context.ring(route.account, result.bells);
    if (wait !== null && !(await hasSettled(ledger, id))) await wait.settled(waitMs, signal);
    const read = async () => (await ledger.readAccess(route.index, [operation.username]))[0];
    const [record, settled] = await Promise.all([
      wait === null && result.record !== null ? result.record : read(),
      wait === null ? false : hasSettled(ledger, id),
    ]);
    if (!record) throw new Error('The ledger does not have the access that was just written.');
    const body = { ...viewAccess(record, operation.script, context.now()), operation: id };
    return { status: settled ? 200 : 202, body };
  } finally {
    wait?.stop();
  }
}

async function hasSettled(ledger: AccountLedger, id: string): Promise<boolean> {
  const [part] = await ledger.readParts([id]);
  return part !== null && part !== undefined && part.pending === 0;
}
