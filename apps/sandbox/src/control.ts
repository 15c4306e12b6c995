import { z } from 'zod';
import {
  accountIdSchema,
  accountSchema,
  membersSchema,
  pineIdSchema,
  plannedFaultSchema,
  sessionSchema,
  usersSchema,
  writesQuerySchema,
} from './control-schemas.ts';
import { type Answer, type Exchange, json } from './exchange.ts';
import { SandboxError } from './sandbox-error.ts';
import type { SandboxState } from './state.ts';

export const CONTROL_PREFIX = '/__sandbox/';

export type ControlInput = {
  readonly state: SandboxState;
  readonly certificate: string;
  readonly pause: (ms: number) => Promise<void>;
};

type Request = { readonly id: string; readonly query: URLSearchParams; readonly body: unknown };
type Handler = (request: Request) => unknown;

const LONGEST_BODY = 256 * 1024 * 1024;
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
const DONE = {};

const STATUS: Partial<Record<SandboxError['code'], number>> = {
  unknown_account: 404,
  script_taken: 409,
  session_taken: 409,
};

/** The control API: JSON, without a key, for loopback only. */
export function buildControl(input: ControlInput): (exchange: Exchange) => Promise<void> {
  const handlers = controlHandlers(input);

  return async function serveControl(exchange) {
    if (!LOOPBACK.test(exchange.remoteAddress)) {
      return exchange.answer(json(403, { code: 'not_loopback', detail: 'The control API answers on loopback only.' }));
    }
    const bytes = await exchange.readBody(LONGEST_BODY);
    if (bytes === null) return exchange.reset();
    const [name = '', id = '', verb] = exchange.path.slice(CONTROL_PREFIX.length).split('/');
    const key = `${exchange.method} ${name}${id && '/{id}'}${verb === undefined ? '' : `/${verb}`}`;
    const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined;
    if (!handler) return exchange.answer(json(404, { code: 'not_found', detail: `There is no ${key}.` }));
    exchange.answer(await answerOf(handler, { id, query: exchange.query, body: bytes }));
  };
}

async function answerOf(handler: Handler, request: Omit<Request, 'body'> & { body: Buffer }): Promise<Answer> {
  try {
    const body = request.body.length > 0 ? parseJson(request.body.toString()) : {};
    const result = await handler({ ...request, body });
    return typeof result === 'string'
      ? { status: 200, type: 'application/x-pem-file', body: result }
      : json(200, result);
  } catch (error) {
    if (error instanceof z.ZodError) return json(400, { code: 'invalid_request', detail: z.prettifyError(error) });
    if (!(error instanceof SandboxError)) throw error;
    return json(STATUS[error.code] ?? 400, { code: error.code, detail: error.message });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SandboxError('invalid_request', 'The body is not JSON.', { cause: error });
  }
}

function controlHandlers({ state, certificate, pause }: ControlInput): Record<string, Handler> {
  return {
    'GET certificate': () => certificate,
    'GET health': () => ({ status: 'ok' }),
    'GET options': () => state.options(),
    'POST configure': ({ body }) => state.configure(body as object),
    'POST reset': () => {
      state.reset();
      return DONE;
    },
    'GET accounts': () => ({ accounts: state.accounts() }),
    'PUT accounts/{id}': ({ id, body }) => state.putAccount(accountIdSchema.parse(id), accountSchema.parse(body)),
    'POST accounts/{id}/session': ({ id, body }) => state.setSession(id, sessionSchema.parse(body)),
    'POST users': ({ body }) => {
      const { registered = [], missing = [] } = usersSchema.parse(body);
      state.registerUsers(registered);
      state.markMissing(missing);
      return DONE;
    },
    'POST members': ({ body }) => {
      const { pine_id: pineId, members } = membersSchema.parse(body);
      state.seedMembers(pineId, members);
      return DONE;
    },
    'GET members': ({ query }) => ({ members: state.members(pineIdSchema.parse(query.get('pine_id'))) }),
    'GET writes': ({ query }) => readWrites(state, query, pause),
    'GET counters': () => state.counters(),
    'POST faults': ({ body }) => {
      state.planFault(plannedFaultSchema.parse(body));
      return DONE;
    },
    'POST late-writes': () => ({ landed: state.releaseLateWrites() }),
  };
}

async function readWrites(
  state: SandboxState,
  search: URLSearchParams,
  pause: (ms: number) => Promise<void>,
): Promise<object> {
  const { pine_id: pineId, wait = 0, ...rest } = writesQuerySchema.parse(Object.fromEntries(search));
  const query = { pineId, ...rest };
  const page = state.writes(query);
  if (wait === 0 || page.entries.length > 0) return page;
  let off = () => {};
  const arrived = new Promise<void>((resolve) => {
    off = state.on((event) => {
      if (event.kind === 'write' && state.writes(query).entries.length > 0) resolve();
    });
  });
  await Promise.race([arrived, pause(wait)]);
  off();
  return state.writes(query);
}
