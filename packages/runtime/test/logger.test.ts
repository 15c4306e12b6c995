import { expect, it } from 'vitest';
import { createLogger, type Logger, type LoggerOptions } from '../src/index.ts';

const CANARY = 'c4n4ry-sekret-value';

function capture(options: Partial<LoggerOptions> = {}): {
  log: Logger;
  text: () => string;
  last: () => Record<string, unknown>;
} {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return {
    log: createLogger({ app: 'test', level: 'trace', destination, ...options }),
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? '{}'),
  };
}

it('lets known fields out with app, level and time', () => {
  const { log, last } = capture();
  log.info({ account: 'a1', rows: 3, keys: ['x', 'y'] }, 'taken');
  expect(last()).toMatchObject({ app: 'test', level: 'info', account: 'a1', rows: 3, keys: ['x', 'y'], msg: 'taken' });
  expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

it.each([
  ['an unknown field', (log: Logger) => log.info({ cookie: CANARY }, 'x')],
  ['a field in another spelling', (log: Logger) => log.info({ 'Set-Cookie': CANARY, sessionId: CANARY }, 'x')],
  ['a nested object in a known field', (log: Logger) => log.info({ account: { session: CANARY } }, 'x')],
  ['an object in a known list', (log: Logger) => log.info({ keys: [{ session: CANARY }] }, 'x')],
  ['a binding of a child', (log: Logger) => log.child({ apiKey: CANARY }).info('x')],
  [
    'headers of a request',
    (log: Logger) => log.info({ req: { method: 'GET', url: '/v1', headers: { cookie: CANARY } } }, 'x'),
  ],
  ['the query of a request', (log: Logger) => log.info({ req: { method: 'GET', url: `/v1?key=${CANARY}` } }, 'x')],
  ['the body of an answer', (log: Logger) => log.info({ res: { statusCode: 200, body: CANARY } }, 'x')],
  [
    'a property of an error',
    (log: Logger) => log.error({ err: Object.assign(new Error('no'), { headers: { cookie: CANARY } }) }, 'x'),
  ],
  [
    'an object code of an error',
    (log: Logger) => log.error({ err: Object.assign(new Error('no'), { code: { cookie: CANARY } }) }, 'x'),
  ],
  [
    'a property of a cause',
    (log: Logger) => log.error(new Error('no', { cause: Object.assign(new Error('why'), { body: CANARY }) })),
  ],
  ['a cause that is no error', (log: Logger) => log.error(new Error('no', { cause: { cookie: CANARY } }))],
  ['a cookie in a message', (log: Logger) => log.info(`sent Cookie: sessionid=${CANARY}; sessionid_sign=${CANARY}`)],
  ['a session in a message', (log: Logger) => log.info(`{"sessionid":"${CANARY}"}`)],
  [
    'a cookie in the message of an error',
    (log: Logger) => log.error(new Error(`bad header cookie: a=${CANARY}; b="${CANARY}"`)),
  ],
  ['an API key in a message', (log: Logger) => log.info(`Authorization: Bearer ${CANARY}`)],
  ['a bearer token', (log: Logger) => log.info(`used bearer ${CANARY}.`)],
  ['the password of an address', (log: Logger) => log.info(`redis://user:${CANARY}@127.0.0.1:6379 is down`)],
  ['an argument of a message', (log: Logger) => log.info('x-api-key: %s', CANARY)],
])('keeps back %s', (_what, write) => {
  const { log, text } = capture();
  write(log);
  expect(text()).not.toBe('');
  expect(text()).not.toContain(CANARY);
});

it('keeps back a registered secret wherever it stands, escaped or not', () => {
  const secret = 'pa"ss\\word-1';
  const { log, text } = capture({ secrets: [secret] });
  log.info({ account: secret }, `it is ${secret}`);
  expect(text()).toContain('[secret]');
  expect(text()).not.toContain('ss\\\\word-1');
});

it('stays one valid line of JSON after hiding credentials', () => {
  const { log, last } = capture();
  log.error({ err: new Error('cookie: a="1"; b=2\nnext line') }, 'failed');
  expect(last()).toMatchObject({ msg: 'failed', err: { type: 'Error' } });
});

it('names the fields it left out, and lets an app add its own', () => {
  const plain = capture();
  plain.log.info({ tint: 'red', account: 'a' }, 'x');
  expect(plain.last()).toMatchObject({ omitted: ['tint'], account: 'a' });
  const own = capture({ fields: ['tint'] });
  own.log.info({ tint: 'red' }, 'x');
  expect(own.last()).toMatchObject({ tint: 'red' });
});

it('writes an error with its code and the chain of its causes', () => {
  const { log, last } = capture();
  const why = Object.assign(new TypeError('why'), { code: 'E_WHY' });
  log.error({ err: new Error('no', { cause: why }) }, 'x');
  expect(last()).toMatchObject({ err: { message: 'no', cause: { type: 'TypeError', code: 'E_WHY', message: 'why' } } });
});
