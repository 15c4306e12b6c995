import type { Account, AuditAction, AuditResult, AuditState } from '@pinegate/ledger';
import type { FastifyRequest } from 'fastify';
import { problemOf } from './answer-errors.ts';
import type { ApiContext } from './api-context.ts';
import { keyOf } from './authenticate.ts';
import { type Answer, answerOnce } from './idempotency.ts';
import type { ReplyPort } from './reply-port.ts';

/** What an operator does; the work fills in what it learns. Secrets have no place in it. */
export interface AuditedAction {
  readonly action: AuditAction;
  target: string;
  before: AuditState | null;
  after: AuditState | null;
}

/**
 * Runs an operator's action once under its Idempotency-Key, answers it, and writes to the audit what came of it; an action that cannot
 * be audited is not answered as done, nor begun while Redis is full. A repetition, which does nothing, is not audited.
 * @param work gets the entry to fill in: the state before as soon as it is known, the state after.
 */
export function answerAudited(
  context: ApiContext,
  request: FastifyRequest,
  reply: ReplyPort,
  { action, target }: { readonly action: AuditAction; readonly target: string },
  work: (entry: AuditedAction) => Promise<Answer>,
): Promise<void> {
  return answerOnce(context.directory.idempotency, request, reply, async () => {
    const entry: AuditedAction = { action, target, before: null, after: null };
    let answer: Answer;
    try {
      await context.directory.audit.expectRoom();
      answer = await work(entry);
    } catch (error) {
      const { status, code } = problemOf(error);
      const result = status < 500 ? 'refused' : 'failed';
      const written = write(context, request, { ...entry, after: null }, result, code);
      // What went wrong first is what the client must hear of.
      await written.catch((err) => request.log.warn({ err, action, code }, 'an action could not be audited'));
      throw error;
    }
    await write(context, request, entry, 'done', null);
    return answer;
  });
}

/** What the audit shows of an account: never its cookies. */
export function auditedAccount({ id: _id, revision: _revision, session, ...rest }: Account): AuditState {
  return { ...rest, session: session.state, cookiesPostedAt: session.postedAt };
}

async function write(
  { directory }: ApiContext,
  request: FastifyRequest,
  entry: AuditedAction,
  result: AuditResult,
  code: string | null,
): Promise<void> {
  const { id, name } = keyOf(request);
  const who = { actor: id, actorName: name, address: request.ip };
  await directory.audit.write({ ...who, ...entry, reason: reasonOf(request), result, code });
}

// A body where the route takes one; a DELETE may say it in the query, since some clients send no body with it.
function reasonOf({ body, query }: FastifyRequest): string | null {
  for (const part of [body, query]) {
    if (typeof part !== 'object' || part === null || !('reason' in part)) continue;
    if (typeof part.reason === 'string') return part.reason;
  }
  return null;
}
