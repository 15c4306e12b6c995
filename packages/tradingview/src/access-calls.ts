import type { z } from 'zod';
import { addAnswer, modifyAnswer, removeAnswer } from './answer-schemas.ts';
import type { PerformCall, ReadAnswer } from './build-call.ts';
import type { EndpointRequest, Requests } from './build-requests.ts';
import { answerReader } from './classify-answer.ts';
import type { WireAnswer } from './exchange.ts';
import { encodeGrant, encodeTarget } from './form-body.ts';
import type { Session } from './session.ts';
import type { CallOptions, TradingView } from './tradingview.ts';

type Write = 'add' | 'modify' | 'remove';
type Status = 'ok' | 'exists' | 'not_exists';

const readAdd = statusReader('add', addAnswer);
const readModify = statusReader('modify', modifyAnswer);
const readRemove = statusReader('remove', removeAnswer);

/** The calls that change one access. */
export function buildAccessCalls(requests: Requests, perform: PerformCall): Pick<TradingView, Write> {
  // No async functions, of which each would cost a call as much as reading its answer does.
  function write<S extends Status>(
    endpoint: Write,
    path: string,
    session: Session,
    body: string,
    read: ReadAnswer<S>,
    options: CallOptions | undefined,
  ): Promise<S> {
    let request: EndpointRequest;
    try {
      request = requests.withSession(endpoint, session, path, body, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return perform(request, read, (status) => status);
  }

  return {
    add: (session, grant, options) => write('add', '/pine_perm/add/', session, encodeGrant(grant), readAdd, options),
    modify(session, grant, options) {
      return write('modify', '/pine_perm/modify_user_expiration/', session, encodeGrant(grant), readModify, options);
    },
    remove(session, target, options) {
      return write('remove', '/pine_perm/remove/', session, encodeTarget(target), readRemove, options);
    },
  };
}

/** Reads the status that an answer tells. Almost all answers are the same, so one like the last is not read again. */
function statusReader<S extends Status>(endpoint: Write, schema: z.ZodType<{ readonly status: S }>): ReadAnswer<S> {
  const read = answerReader(endpoint, schema);
  let last: { readonly answer: WireAnswer; readonly told: S } | undefined;
  return (answer, now) => {
    if (last !== undefined && isAlike(last.answer, answer)) return last.told;
    const told = read(answer, now).status;
    last = { answer, told };
    return told;
  };
}

/** Whether two answers agree in all that the reading of a success depends on. */
function isAlike(a: WireAnswer, b: WireAnswer): boolean {
  return a.body === b.body && a.status === b.status && a.headers['content-type'] === b.headers['content-type'];
}
