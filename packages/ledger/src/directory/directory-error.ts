/** What went wrong in the directory; see `Directory` for who throws which. */
export type DirectoryErrorCode =
  | 'SCRIPT_TAKEN'
  | 'SECRET_KEY_INVALID'
  | 'SECRET_KEY_WRONG'
  | 'BATCH_UNKNOWN'
  | 'CHECKPOINT_DIFFERS'
  | 'BODY_DIFFERS'
  | 'CURSOR_INVALID'
  | 'RECORD_INVALID';

/** Where it went wrong; only the fields that the code speaks of are set. */
export interface DirectoryErrorFields {
  readonly account?: string;
  readonly script?: string;
  readonly batch?: string;
  readonly row?: number;
  readonly cause?: unknown;
}

/** The one error class of the directory. Its message and fields never hold a secret. */
export class DirectoryError extends Error {
  readonly code: DirectoryErrorCode;
  /** The account concerned: that of the session that does not open, or the owner of a script that is taken. */
  readonly account: string | null;
  readonly script: string | null;
  readonly batch: string | null;
  readonly row: number | null;

  constructor(code: DirectoryErrorCode, message: string, fields: DirectoryErrorFields = {}) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.name = 'DirectoryError';
    this.code = code;
    this.account = fields.account ?? null;
    this.script = fields.script ?? null;
    this.batch = fields.batch ?? null;
    this.row = fields.row ?? null;
  }
}
