import { errors } from 'undici';
import { expect, it } from 'vitest';
import { classifyFault } from '../src/classify-fault.ts';
import type { WireFault } from '../src/exchange.ts';
import type { TradingViewErrorCode, TradingViewErrorReason } from '../src/trading-view-error.ts';

type Row = [
  what: string,
  fault: Partial<WireFault>,
  reason: TradingViewErrorReason,
  write: TradingViewErrorCode,
  read: TradingViewErrorCode,
];

const refusedStream = Object.assign(new Error('Stream closed'), { http2ErrorCode: 7 });
const econnrefused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

const rows: Row[] = [
  ['refused connection', { started: false, error: econnrefused }, 'connect', 'UNAVAILABLE', 'UNAVAILABLE'],
  ['deadline while connecting', { started: false, why: 'deadline' }, 'timeout', 'UNAVAILABLE', 'UNAVAILABLE'],
  ['signal before sending', { started: false, why: 'aborted' }, 'aborted', 'ABORTED', 'ABORTED'],
  ['call after close', { started: false, error: new errors.ClientClosedError() }, 'closed', 'ABORTED', 'ABORTED'],
  [
    'destroy before sending',
    { started: false, error: new errors.ClientDestroyedError() },
    'closed',
    'ABORTED',
    'ABORTED',
  ],
  ['destroy after sending', { error: new errors.ClientDestroyedError() }, 'aborted', 'UNCERTAIN', 'ABORTED'],
  ['signal after sending', { why: 'aborted' }, 'aborted', 'UNCERTAIN', 'ABORTED'],
  ['deadline after sending', { why: 'deadline' }, 'timeout', 'UNCERTAIN', 'UNAVAILABLE'],
  ['deadline inside the body', { why: 'deadline', status: 200 }, 'timeout', 'UNCERTAIN', 'UNAVAILABLE'],
  ['stalled headers', { error: new errors.HeadersTimeoutError() }, 'timeout', 'UNCERTAIN', 'UNAVAILABLE'],
  ['stalled body', { status: 200, error: new errors.BodyTimeoutError() }, 'timeout', 'UNCERTAIN', 'UNAVAILABLE'],
  ['reset', { error: new errors.SocketError('other side closed') }, 'reset', 'UNCERTAIN', 'UNAVAILABLE'],
  ['reset inside the body', { status: 200, error: new errors.SocketError('x') }, 'cut', 'UNCERTAIN', 'UNAVAILABLE'],
  ['refused stream', { error: refusedStream }, 'refused', 'UNAVAILABLE', 'UNAVAILABLE'],
  [
    'huge body',
    { status: 200, error: new errors.ResponseExceededMaxSizeError() },
    'too_large',
    'UNCERTAIN',
    'UNAVAILABLE',
  ],
  ['401 whose body broke off', { status: 401 }, 'status', 'SESSION_EXPIRED', 'SESSION_EXPIRED'],
  ['429 whose body broke off', { status: 429 }, 'status', 'RATE_LIMITED', 'RATE_LIMITED'],
  ['an error that is none', { error: 'text' }, 'reset', 'UNCERTAIN', 'UNAVAILABLE'],
];

it.each(rows)('%s', (_what, given, reason, write, read) => {
  const fault: WireFault = {
    kind: 'fault',
    why: 'error',
    started: true,
    status: null,
    headers: {},
    error: null,
    ...given,
  };
  for (const endpoint of ['add', 'modify', 'remove', 'signin'] as const) {
    const expected = { endpoint, code: write, reason, sent: fault.started, status: fault.status };
    expect(classifyFault(endpoint, fault, 0)).toMatchObject(expected);
  }
  for (const endpoint of ['details', 'hint', 'list_users', 'list_scripts'] as const) {
    expect(classifyFault(endpoint, fault, 0)).toMatchObject({ endpoint, code: read, reason });
  }
});
