/** Base of every error this package throws; `code` is a literal of the subclass. */
export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
