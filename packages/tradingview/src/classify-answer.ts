import type { z } from 'zod';
import { errorAnswer } from './answer-schemas.ts';
import type { WireAnswer } from './exchange.ts';
import { parseRetryAfter } from './retry-after.ts';
import { type Endpoint, TradingViewError, type TradingViewErrorReason } from './trading-view-error.ts';

/** A sign-in counts: it mails the owner, and a few of them lock the account. */
const WRITES: ReadonlySet<Endpoint> = new Set(['add', 'modify', 'remove', 'signin']);
const SIGN_IN_PATH = /^\/(accounts\/)?signin(\/|$)/;
const SPEAKS_OF_AUTHENTICATION = /authenticat|credentials|\blog(ged)?[ -]?in\b|\bsign(ed)?[ -]?in\b/i;
// Not the word captcha: a sign-in page holds it too.
const WANTS_A_HUMAN = /just a moment|challenge-platform|cf-chl|\byou are (a )?human|checking your browser/i;
// No digits beyond a leading 2FA: a code that looks like a token never gets into an error.
const IDENTIFIER = /^(2FA|[A-Za-z]+)(_[A-Za-z]+)*$/;

/** The code of a failure that does not say whether the request was carried out: a read has nothing to carry out. */
export function unclearCode(endpoint: Endpoint): 'UNCERTAIN' | 'UNAVAILABLE' {
  return WRITES.has(endpoint) ? 'UNCERTAIN' : 'UNAVAILABLE';
}

/**
 * Reads a whole answer: its body by the endpoint's schema where it is a success, else the error it stands for.
 * @param now ms since 1970, for a Retry-After that is a date
 * @throws TradingViewError
 */
export function readAnswer<T>(endpoint: Endpoint, answer: WireAnswer, schema: z.ZodType<T>, now: number): T {
  if (answer.status < 200 || answer.status > 299) throw classifyStatus(endpoint, answer, now);
  const type = contentType(answer);
  if (!isJson(type)) {
    throw unclear(endpoint, answer, pageReason(type, answer), looksLikePage(type, answer.body));
  }
  const json = parseJson(answer.body);
  if (json === undefined) throw unclear(endpoint, answer, 'cut');
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw unclear(endpoint, answer, 'shape');
  return parsed.data;
}

/** readAnswer for one endpoint and schema. */
export function answerReader<T>(endpoint: Endpoint, schema: z.ZodType<T>): (answer: WireAnswer, now: number) => T {
  return (answer, now) => readAnswer(endpoint, answer, schema, now);
}

/** The error an answer with a status outside 200 to 299 stands for. */
export function classifyStatus(
  endpoint: Endpoint,
  answer: Pick<WireAnswer, 'status' | 'headers' | 'body'>,
  now: number,
): TradingViewError {
  const { status, headers } = answer;
  const seen = { sent: true, status, reason: 'status' } as const;
  if (status === 401) return new TradingViewError(endpoint, 'SESSION_EXPIRED', { ...seen, form: 'unauthorized' });
  if (status === 429) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
    return new TradingViewError(endpoint, 'RATE_LIMITED', { ...seen, retryAfterMs });
  }
  if (status >= 300 && status < 400) return classifyRedirect(endpoint, answer);
  if (status >= 400 && status < 500) return classifyRefusal(endpoint, answer);
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
  return new TradingViewError(endpoint, unclearCode(endpoint), { ...seen, reason: 'server_error', retryAfterMs });
}

function classifyRedirect(endpoint: Endpoint, answer: Pick<WireAnswer, 'status' | 'headers'>): TradingViewError {
  const location = [answer.headers.location].flat()[0] ?? '';
  if (URL.canParse(location, 'http://base') && SIGN_IN_PATH.test(new URL(location, 'http://base').pathname)) {
    const { status } = answer;
    return new TradingViewError(endpoint, 'SESSION_EXPIRED', {
      sent: true,
      status,
      reason: 'status',
      form: 'redirect',
    });
  }
  return unclear(endpoint, answer, 'redirect');
}

function classifyRefusal(
  endpoint: Endpoint,
  answer: Pick<WireAnswer, 'status' | 'headers' | 'body'>,
): TradingViewError {
  const { status } = answer;
  const seen = { sent: true, status, reason: 'status' } as const;
  // 408: the server gave up on the request, perhaps after it had passed it on. 425: ask again later.
  if (status === 408 || status === 425) return unclear(endpoint, answer, 'status');
  const parsed = errorAnswer.safeParse(parseJson(answer.body));
  if (!parsed.success) {
    // An edge, not the application, answers 403 with a page; a 422 that cannot be read does not say what was refused.
    const type = contentType(answer);
    if (status === 403) return unclear(endpoint, answer, pageReason(type, answer), true);
    if (status === 422) return unclear(endpoint, answer, 'cut');
    return new TradingViewError(endpoint, 'BAD_REQUEST', seen);
  }
  const { code, detail } = parsed.data;
  const upstreamCode = code !== undefined && code.length <= 64 && IDENTIFIER.test(code) ? code : null;
  if (status === 403 && (code === 'login_required' || SPEAKS_OF_AUTHENTICATION.test(detail ?? ''))) {
    return new TradingViewError(endpoint, 'SESSION_EXPIRED', { ...seen, form: 'login_required', upstreamCode });
  }
  if (status === 422 && code === 'username_recip_not_found') {
    return new TradingViewError(endpoint, 'USER_NOT_FOUND', { ...seen, upstreamCode });
  }
  if (status === 422 && 'pine_id' in parsed.data) {
    return new TradingViewError(endpoint, 'SCRIPT_REFUSED', { ...seen, upstreamCode });
  }
  return new TradingViewError(endpoint, 'BAD_REQUEST', { ...seen, upstreamCode });
}

function unclear(
  endpoint: Endpoint,
  { status }: Pick<WireAnswer, 'status'>,
  reason: TradingViewErrorReason,
  suspectSession = false,
): TradingViewError {
  return new TradingViewError(endpoint, unclearCode(endpoint), { sent: true, status, reason, suspectSession });
}

function contentType({ headers }: Pick<WireAnswer, 'headers'>): string {
  const type = headers['content-type'];
  return ((Array.isArray(type) ? type[0] : type) ?? '').toLowerCase();
}

/** Undefined where the text is not whole JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isJson(type: string): boolean {
  return type.startsWith('application/json') || /^application\/[\w.-]+\+json/.test(type);
}

function looksLikePage(type: string, body: string): boolean {
  return type.startsWith('text/html') || type.startsWith('application/xhtml') || body.trimStart().startsWith('<');
}

function pageReason(type: string, { headers, body }: Pick<WireAnswer, 'headers' | 'body'>): TradingViewErrorReason {
  if (!looksLikePage(type, body)) return 'content_type';
  return headers['cf-mitigated'] === 'challenge' || WANTS_A_HUMAN.test(body) ? 'challenge' : 'html';
}
