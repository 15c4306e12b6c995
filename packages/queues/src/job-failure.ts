/** What is kept of an error in a failed job, where everybody with a login to the dashboard reads it: its kind, not its message. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';

  constructor(cause: unknown) {
    const { name, code } =
      cause instanceof Error ? (cause as Error & { code?: unknown }) : { name: typeof cause, code: undefined };
    super(typeof code === 'string' ? `${name} ${code}` : name, { cause });
    // bullmq keeps the stack as well, and it begins with the message of the cause.
    this.stack = this.message;
  }
}

/** The error itself, for logs. */
export function causeOf(error: Error): Error {
  return error instanceof JobFailure && error.cause instanceof Error ? error.cause : error;
}
