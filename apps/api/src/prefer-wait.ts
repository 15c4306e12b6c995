import type { FastifyRequest } from 'fastify';
import type { ReplyPort } from './reply-port.ts';

const LONGEST_S = 60;

/** The seconds of `Prefer: wait=N` (RFC 7240) in ms, at most 60 s; `absent` without one. Says in the answer what was applied. */
export function preferredWaitMs({ headers }: FastifyRequest, reply: ReplyPort, absent: number): number {
  const prefer = headers.prefer;
  const text = Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '');
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(text)?.[1];
  if (wait === undefined) return absent;
  const seconds = Math.min(Number(wait), LONGEST_S);
  reply.header('preference-applied', `wait=${seconds}`);
  return seconds * 1_000;
}
