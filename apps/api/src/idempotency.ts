import { createHash } from 'node:crypto';
import { type Directory, DirectoryError } from '@pinegate/ledger';
import type { FastifyRequest } from 'fastify';
import { keyOf } from './authenticate.ts';
import { Problem } from './problem.ts';
import type { ReplyPort } from './reply-port.ts';

const RENEW_MS = 3_000;
const KEY = /^[\x21-\x7e]{1,200}$/;

/** What a write answers. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Kept for a repeated request in place of `body`, where that holds a secret. */
  readonly stored?: unknown;
}

/** What a request under an Idempotency-Key holds while it runs. */
export interface RequestLease {
  /** Its resource: that of the first request under this key. */
  readonly resource: string;
  /** An earlier request under this key has died. */
  readonly resumed: boolean;
  /** Another request has taken over: stop. */
  isLost(): boolean;
  /** Keeps the answer for repetitions; where that fails, a repetition runs again for the same resource. */
  finish(fingerprint: string, status: number, body: string): Promise<void>;
  /** Gives up without an answer: the next request goes on at once. */
  abandon(): void;
}

/** How a request under an Idempotency-Key begins. */
export type Beginning =
  | { readonly kind: 'run'; readonly lease: RequestLease }
  | { readonly kind: 'stored'; readonly status: number; readonly body: string; readonly fingerprint: string };

/**
 * The Idempotency-Key of a request, null when it has none.
 * Errors: `Problem` `invalid_header`.
 */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new Problem('invalid_header', 'An Idempotency-Key is 1 to 200 visible ASCII characters, given once.');
}

/** Where an Idempotency-Key counts: API key, method, path and query. */
function scopeOf(request: FastifyRequest): string {
  return `${keyOf(request).id} ${request.method} ${request.url}`;
}

/** 16 bytes that the same request under the same key has again; null without a key. */
export function derivedId(request: FastifyRequest): Buffer | null {
  const key = idempotencyKeyOf(request);
  if (key === null) return null;
  return createHash('sha256')
    .update(JSON.stringify([scopeOf(request), key]))
    .digest()
    .subarray(0, 16);
}

/**
 * Begins a request under its key.
 * @param fingerprint hash of the body; null for a stream that has not been read.
 * Errors: `Problem` `request_running`, `idempotency_key_reused`.
 */
export async function beginRequest(
  idempotency: Directory['idempotency'],
  request: FastifyRequest,
  key: string,
  fingerprint: string | null,
  resource: string,
): Promise<Beginning> {
  const scope = scopeOf(request);
  const begun = await idempotency.begin(scope, key, fingerprint, resource);
  switch (begun.verdict) {
    case 'busy': {
      const retryAfter = Math.max(1, Math.ceil(begun.retryMs / 1_000));
      throw new Problem('request_running', 'A request with this Idempotency-Key has not been answered yet.', {
        retryAfter,
      });
    }
    case 'differs':
      throw keyReused();
    case 'stored':
      return { kind: 'stored', status: begun.status, body: begun.body, fingerprint: begun.fingerprint };
    default: {
      const { lease, resource: kept, verdict } = begun;
      return {
        kind: 'run',
        lease: holdLease(idempotency, { scope, key, lease, resource: kept, resumed: verdict === 'resume' }, request),
      };
    }
  }
}

/** The answer to a key that came with another body before. */
export function keyReused(): Problem {
  return new Problem('idempotency_key_reused', 'This Idempotency-Key came with another body before: use a new one.');
}

interface Held {
  readonly scope: string;
  readonly key: string;
  readonly lease: string;
  readonly resource: string;
  readonly resumed: boolean;
}

function holdLease(idempotency: Directory['idempotency'], held: Held, { log }: FastifyRequest): RequestLease {
  const { scope, key, lease, resource, resumed } = held;
  let lost = false;
  const timer = setInterval(() => {
    idempotency.renew(scope, key, lease).then(
      (ours) => {
        if (!ours) lost = true;
      },
      (err) => log.warn({ err }, 'an idempotency lease could not be renewed'),
    );
  }, RENEW_MS);
  timer.unref();
  return {
    resource,
    resumed,
    isLost: () => lost,
    async finish(fingerprint, status, body) {
      clearInterval(timer);
      try {
        await idempotency.finish(scope, key, lease, fingerprint, status, body);
      } catch (err) {
        if (err instanceof DirectoryError && err.code === 'BODY_DIFFERS') throw keyReused();
        // The work is done and may be answered; a repetition finds it by the same ids.
        log.warn({ err }, 'an answer could not be kept for repetitions');
      }
    },
    abandon() {
      clearInterval(timer);
      idempotency.abandon(scope, key, lease).catch((err) => log.warn({ err }, 'an idempotency lease was not given up'));
    },
  };
}

/**
 * Runs a write once under its Idempotency-Key, if it has one, and answers it.
 * @param work gets the resource of the first request under the key, or `resource`.
 */
export async function answerOnce(
  idempotency: Directory['idempotency'],
  request: FastifyRequest,
  reply: ReplyPort,
  work: (resource: string) => Promise<Answer>,
  resource = '',
): Promise<void> {
  const key = idempotencyKeyOf(request);
  if (key === null) {
    const { status, body } = await work(resource);
    return sendJson(reply, status, bodyText(body));
  }
  const fingerprint = request.bodyHash;
  const begun = await beginRequest(idempotency, request, key, fingerprint, resource);
  if (begun.kind === 'stored') return replay(reply, begun.status, begun.body);
  const { lease } = begun;
  try {
    const answer = await work(lease.resource);
    await lease.finish(fingerprint, answer.status, bodyText('stored' in answer ? answer.stored : answer.body));
    return sendJson(reply, answer.status, bodyText(answer.body));
  } catch (error) {
    lease.abandon();
    throw error;
  }
}

/** Answers as the first request was answered. */
export function replay(reply: ReplyPort, status: number, body: string): void {
  reply.header('idempotency-replayed', 'true');
  sendJson(reply, status, body);
}

function bodyText(body: unknown): string {
  return body === undefined ? '' : JSON.stringify(body);
}

/** Sends text that is JSON already; an empty one is no body. */
export function sendJson(reply: ReplyPort, status: number, body: string): void {
  reply.code(status);
  if (body !== '') reply.type('application/json; charset=utf-8');
  reply.send(body === '' ? undefined : body);
}
