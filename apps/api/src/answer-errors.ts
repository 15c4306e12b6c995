import { DirectoryError } from '@pinegate/ledger';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { MAX_JSON_BYTES } from './body-parsers.ts';
import { invalidCursor } from './cursor.ts';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.ts';
import type { ProblemCode } from './problem-codes.ts';
import { redisProblem } from './redis-failure.ts';

/** The one place where errors become answers: 4xx explains, 5xx says nothing about internals. */
export function addErrorAnswers(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}.`;
    return sendProblem(reply, new Problem('not_found', detail));
  });
}

/** Answers with the problem that an error stands for; one that stands for none is logged and answered as `internal`. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.status >= 500) {
    const level = problem.status === 500 ? 'error' : 'warn';
    request.log[level]({ err: problem.cause ?? error, code: problem.code }, 'a request failed');
  }
  return sendProblem(reply, problem);
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfter !== null) reply.header('retry-after', String(problem.retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="pinegate"');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problemBody(problem));
}

/** The problem that an error stands for. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return problemOfValidation(error.validation);
  return (
    problemOfDirectory(error) ??
    redisProblem(error) ??
    problemOfFastify(error) ??
    new Problem('internal', 'The request could not be worked on. It is in the log of the service.', { cause: error })
  );
}

// Fields whose mistakes have a code of their own.
const FIELD_CODES: Readonly<Record<string, ProblemCode>> = {
  expiresAt: 'invalid_expiry',
  duration: 'invalid_duration',
  extendBy: 'invalid_duration',
  cursor: 'invalid_cursor',
  username: 'invalid_username',
  script: 'invalid_script',
};

function problemOfValidation(
  issues: readonly { instancePath: string; keyword: string; message?: string | undefined; params: unknown }[],
): Problem {
  const [first] = issues;
  const field = first?.instancePath.replace(/^\//, '').replaceAll('/', '.') ?? '';
  const last = field.split('.').at(-1) ?? '';
  const members = field === '' ? {} : { field };
  const unknown = issues.find(({ keyword }) => keyword === 'unrecognized_keys');
  if (unknown !== undefined)
    return new Problem('unknown_field', unknown.message ?? 'There is no such field.', { members });
  const detail = first?.message ?? 'The request is not what this route takes.';
  return new Problem(FIELD_CODES[last] ?? 'invalid_request', field === '' ? detail : `${field}: ${detail}`, {
    members,
  });
}

function problemOfDirectory(error: unknown): Problem | null {
  if (!(error instanceof DirectoryError)) return null;
  switch (error.code) {
    case 'SCRIPT_TAKEN': {
      const { script } = error;
      return new Problem('script_taken', `Another account has the script ${script}.`, { members: { script } });
    }
    case 'CURSOR_INVALID':
      return invalidCursor(error);
    case 'BATCH_UNKNOWN':
      return new Problem('unknown_batch', 'The batch does not exist any more.', { cause: error });
    case 'CHECKPOINT_DIFFERS':
      return new Problem('resume_differs', error.message, { cause: error });
    default:
      return null;
  }
}

const FASTIFY_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'See the documentation for what this route takes.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', `A JSON body has at most ${MAX_JSON_BYTES} bytes.`],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty.'],
};

function problemOfFastify(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return null;
  const known = 'code' in error ? FASTIFY_CODES[String(error.code)] : undefined;
  if (known !== undefined) return new Problem(known[0], known[1]);
  if (error.statusCode >= 400 && error.statusCode < 500) return new Problem('invalid_request', error.message);
  return null;
}
