import type { RowCode } from '@pinegate/access';
import { PROBLEMS, type ProblemCode } from './problem-codes.ts';

/** More about one problem. */
export interface ProblemFields {
  /** Seconds for Retry-After. */
  readonly retryAfter?: number;
  /** Further members of the body, such as `row` or `field`. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class of the api: what a client did wrong or must wait for, with a code of the closed list. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly retryAfter: number | null;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, fields: ProblemFields = {}) {
    super(detail, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.name = 'Problem';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.retryAfter = fields.retryAfter ?? null;
    this.members = fields.members ?? {};
  }
}

/** The media type of RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json';

/** The body of RFC 9457 for a problem. */
export function problemBody(problem: Problem): string {
  const { code, status, message, members } = problem;
  return JSON.stringify({
    type: `urn:pinegate:problem:${code}`,
    title: PROBLEMS[code].title,
    status,
    code,
    detail: message,
    ...members,
  });
}

/** A row that `parseOperation` refused, as the answer to a request for this one operation. */
export function problemOfRow(row: {
  readonly code: RowCode;
  readonly field: string | null;
  readonly detail: string;
}): Problem {
  return new Problem(row.code, row.detail, row.field === null ? {} : { members: { field: row.field } });
}
