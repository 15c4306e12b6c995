export type SandboxErrorCode =
  | 'invalid_config'
  | 'invalid_request'
  | 'unknown_account'
  | 'unknown_script'
  | 'script_taken'
  | 'session_taken'
  | 'port_taken'
  | 'closed';

/** Everything the sandbox itself refuses. What it answers in TradingView's name is an `Answer`, never an error. */
export class SandboxError extends Error {
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SandboxError';
    this.code = code;
  }
}
