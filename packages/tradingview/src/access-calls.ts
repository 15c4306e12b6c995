import { addAnswer, modifyAnswer, removeAnswer } from './answer-schemas.ts';
import type { PerformCall } from './build-call.ts';
import type { Requests } from './build-requests.ts';
import { answerReader } from './classify-answer.ts';
import { encodeGrant, encodeTarget } from './form-body.ts';
import type { TradingView } from './tradingview.ts';

const readAdd = answerReader('add', addAnswer);
const readModify = answerReader('modify', modifyAnswer);
const readRemove = answerReader('remove', removeAnswer);

/** The calls that change one access. */
export function buildAccessCalls(
  requests: Requests,
  perform: PerformCall,
): Pick<TradingView, 'add' | 'modify' | 'remove'> {
  return {
    async add(session, grant, options) {
      const request = requests.withSession('add', session, '/pine_perm/add/', encodeGrant(grant), options);
      const { status } = await perform(request, readAdd, (answer) => answer.status);
      return status;
    },
    async modify(session, grant, options) {
      const path = '/pine_perm/modify_user_expiration/';
      const { status } = await perform(
        requests.withSession('modify', session, path, encodeGrant(grant), options),
        readModify,
      );
      return status;
    },
    async remove(session, target, options) {
      const request = requests.withSession('remove', session, '/pine_perm/remove/', encodeTarget(target), options);
      const { status } = await perform(request, readRemove, (answer) => answer.status);
      return status;
    },
  };
}
