/** Every flag with the value that it has until somebody changes it. */
export const FLAG_DEFAULTS = {
  /** Revokes are accepted. */
  acceptRevokes: true,
  /** Batches of more than 50 rows are accepted. */
  acceptBulk: true,
  /** Every write that was applied is read again after its window. */
  verifyEveryWrite: false,
  /** Requests to TradingView go over HTTP/2; off: HTTP/1.1. */
  http2: true,
} as const satisfies Record<string, boolean>;

/** Name of a flag. */
export type FlagName = keyof typeof FLAG_DEFAULTS;

/** A value for each flag. */
export type FlagValues = Readonly<Record<FlagName, boolean>>;

export const FLAG_NAMES = Object.keys(FLAG_DEFAULTS) as FlagName[];
