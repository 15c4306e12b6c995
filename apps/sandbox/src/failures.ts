import type { Call } from './call.ts';
import { perform } from './endpoints.ts';
import { type Answer, html, json } from './exchange.ts';
import type { Fault, Options } from './options.ts';
import type { Parts } from './parts.ts';

const STATUS_TEXT = { 500: 'Internal Server Error', 502: 'Bad Gateway', 503: 'Service Unavailable' } as const;

type Before = (call: Call, parts: Parts) => void;
type After = (answer: Answer, call: Call, parts: Parts) => void;

const BEFORE: Partial<Record<Fault, Before>> = {
  serverError: (call, parts) => send(call, serverError(parts)),
  resetBefore: reset,
  hang() {},
  lateWrite: (call, parts) =>
    parts.lateWrites.hold(call.exchange, parts.settings.current.lateWriteMs, () => perform(call, parts, true)),
  challenge: (call) => send(call, html(200, 'Just a moment...', 'Checking that you are human.')),
  refuse: (call, parts) => send(call, throttled(parts.settings.current.retryAfter, 1000)),
  storm(call, parts) {
    const { stormMs, retryAfter } = parts.settings.current;
    parts.limits.storm(call.accountId, parts.now() + stormMs);
    send(call, throttled(retryAfter, stormMs));
  },
};

const AFTER: Partial<Record<Fault, After>> = {
  serverErrorAfter: (_, call, parts) => send(call, serverError(parts)),
  resetAfter: (_, call) => reset(call),
  hangAfter() {},
  cutLength: (answer, call) => cut(answer, call, 'length'),
  cutClose: (answer, call) => cut(answer, call, 'close'),
  wrongType: (answer, call) => send(call, { ...answer, type: 'text/plain; charset=utf-8' }),
  drip(answer, call, parts) {
    const { dripMs } = parts.settings.current;
    // Counted out as in `send`: a client goes on once it has as much as was announced.
    const finish = () => call.finish(answer.status);
    void call.exchange.drip(answer, () => parts.timers.pause(dripMs), finish);
  },
};

/** Whether the fault ended the request, or keeps it, before it could take effect. */
export function failBefore(fault: Fault, call: Call, parts: Parts): boolean {
  const fail = BEFORE[fault];
  fail?.(call, parts);
  return fail !== undefined;
}

/** Whether the fault took the place of the answer. */
export function failAfter(fault: Fault, answer: Answer, call: Call, parts: Parts): boolean {
  const fail = AFTER[fault];
  fail?.(answer, call, parts);
  return fail !== undefined;
}

export function send(call: Call, answer: Answer): void {
  // Counted out first: the client's next request may be here before this function returns.
  call.finish(answer.status);
  call.exchange.answer(answer);
}

export function throttled(retryAfter: Options['retryAfter'], retryAfterMs: number | null): Answer {
  const seconds = retryAfter === 'exact' ? Math.ceil((retryAfterMs ?? 1000) / 1000) : retryAfter;
  const headers = seconds === 'none' ? undefined : { 'retry-after': String(seconds) };
  return json(429, { detail: 'Request was throttled.' }, headers);
}

function serverError(parts: Parts): Answer {
  const { serverErrorStatuses } = parts.settings.current;
  const status = serverErrorStatuses[Math.floor(parts.random() * serverErrorStatuses.length)] ?? 500;
  return html(status, `${status} ${STATUS_TEXT[status]}`, 'Please try again later.');
}

function reset(call: Call): void {
  call.finish('reset');
  call.exchange.reset();
}

function cut(answer: Answer, call: Call, form: 'length' | 'close'): void {
  call.finish(answer.status);
  call.exchange.cut(answer, form);
}
