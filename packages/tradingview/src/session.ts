/**
 * The cookies of one TradingView login. `account` only labels observations. Reuse one frozen object per login: its
 * header block is built once and kept as long as the object lives.
 */
export type Session = {
  readonly account?: string;
  readonly sessionid: string;
  readonly sessionidSign?: string | null;
};
