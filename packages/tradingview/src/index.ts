export type { Member } from './answer-schemas.ts';
export { createTradingView } from './create-tradingview.ts';
export type { AccessGrant, AccessTarget } from './form-body.ts';
export { leanHttp2 } from './lean-http2.ts';
export type { MemberList, MemberOrder, MemberPage, OnMemberPage } from './member-list.ts';
export { STREAMS_PER_CONNECTION } from './open-pool.ts';
export type { Session } from './session.ts';
export type { SignInResult } from './sign-in.ts';
export {
  type Endpoint,
  type SessionExpiredForm,
  TradingViewError,
  type TradingViewErrorCode,
  type TradingViewErrorReason,
} from './trading-view-error.ts';
export type {
  CallOptions,
  Observation,
  PoolUse,
  SessionCheck,
  TradingView,
  TradingViewOptions,
} from './tradingview.ts';
