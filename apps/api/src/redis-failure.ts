import { NotReplicatedError } from '@pinegate/ledger';
import { Problem } from './problem.ts';

// What Redis answers while it cannot work, besides OOM.
const TRANSIENT_REPLIES = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MOVED',
  'NOREPLICAS',
  'READONLY',
  'TRYAGAIN',
]);
const CLIENT_ERRORS = new Set(['AbortError', 'ClusterAllFailedError', 'MaxRetriesPerRequestError']);
const CLIENT_MESSAGES = /^(Command timed out|Connection is closed|Stream isn't writeable|Socket closed|Socket timeout)/;
const SOCKET_CODE =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|NR_CLOSED)$/;

/** The answer to a request that failed because Redis is away, busy or full; null when the error says nothing of the kind. */
export function redisProblem(error: unknown): Problem | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof NotReplicatedError) {
    const detail =
      'Too few replicas of Redis have it yet. It may still take effect; sending it again under its Idempotency-Key is safe.';
    return new Problem('not_replicated', detail, { retryAfter: 1, cause: error });
  }
  const reply = replyOf(error);
  if (reply === 'OOM') {
    return new Problem('storage_full', 'Redis has no room for more.', { retryAfter: 5, cause: error });
  }
  if (reply === 'EPOCH') return emptied(error);
  if ((reply !== null && TRANSIENT_REPLIES.has(reply)) || isConnectionError(error)) {
    return unavailable(error);
  }
  return null;
}

/** The answer while Redis cannot be asked. */
export function unavailable(cause?: unknown): Problem {
  const detail = 'Redis does not answer. Nothing is lost: send the request again.';
  return new Problem('unavailable', detail, { retryAfter: 1, cause });
}

/** The answer while Redis has been emptied, all of it or one account. */
export function emptied(cause?: unknown): Problem {
  const detail = 'Redis has lost what it held. Nothing is accepted until an operator has restored it.';
  return new Problem('redis_restored', detail, { retryAfter: 60, cause });
}

function replyOf(error: Error): string | null {
  if ('reply' in error && typeof error.reply === 'string') return error.reply;
  return error.name === 'ReplyError' ? (error.message.split(' ', 1)[0] ?? null) : null;
}

function isConnectionError(error: Error): boolean {
  if (CLIENT_ERRORS.has(error.name) || CLIENT_MESSAGES.test(error.message)) return true;
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODE.test(error.code);
}
