import { listUsersAnswer } from './answer-schemas.ts';
import type { PerformCall, ReadAnswer } from './build-call.ts';
import type { Requests } from './build-requests.ts';
import { answerReader } from './classify-answer.ts';
import { encodeListFilter } from './form-body.ts';
import { findMember, LIST_USERS_PATH, type MemberPage, parseNext, readAllMembers } from './member-list.ts';
import { TradingViewError } from './trading-view-error.ts';
import type { TradingView } from './tradingview.ts';

const PAGE_LIMIT = 30;

const readRows = answerReader('list_users', listUsersAnswer);

const readPage: ReadAnswer<MemberPage> = (answer, now) => {
  const { results, next } = readRows(answer, now);
  const cursor = parseNext(next);
  if (cursor === undefined) {
    const details = { reason: 'shape', sent: true, status: answer.status } as const;
    throw new TradingViewError('list_users', 'UNAVAILABLE', details);
  }
  return { members: results, next: cursor };
};

/** The calls that read a script's members. */
export function buildMemberCalls(
  requests: Requests,
  perform: PerformCall,
): Pick<TradingView, 'listUsersPage' | 'listUsers' | 'listAllUsers'> {
  const listUsersPage: TradingView['listUsersPage'] = async (session, list, options) => {
    const { script, username, orderBy = 'user__username', limit = PAGE_LIMIT, cursor } = list;
    const query = cursor ?? `?limit=${limit}&order_by=${orderBy}`;
    const body = encodeListFilter(script, username);
    const request = requests.withSession('list_users', session, `${LIST_USERS_PATH}${query}`, body, options);
    return await perform(request, readPage);
  };
  return {
    listUsersPage,
    listUsers: (session, { script, username, onPage }, options) =>
      findMember((cursor) => listUsersPage(session, { script, username, cursor }, options), username, onPage),
    listAllUsers: (session, { onPage, from, ...list }, options) =>
      readAllMembers((cursor) => listUsersPage(session, { ...list, cursor }, options), from ?? null, onPage),
  };
}
