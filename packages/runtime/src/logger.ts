import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { gatherLines } from './gather-lines.ts';
import { LOG_FIELDS } from './log-fields.ts';
import { traceIds } from './tracing.ts';

/** A pino logger whose lines carry only allow-listed fields. */
export type Logger = PinoLogger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LoggerOptions = {
  /** Which app writes, in every line. */
  app: string;
  level: LogLevel;
  /** Further field names to let out. */
  fields?: readonly string[];
  /** Values that must never appear, wherever they came from: written as `[secret]`. */
  secrets?: readonly string[];
  /** Default: standard output, lines gathered for up to 50 ms. */
  destination?: DestinationStream;
};

// Last line of defence for free text (messages, stacks), where no list of fields helps.
const CREDENTIALS: readonly [RegExp, string][] = [
  [/(sessionid(?:_sign)?["'\\]*\s*[=:]\s*["'\\]*)[^;,\s"'\\]+/gi, '$1[secret]'],
  [/((?:cookie|authorization|x-api-key)["'\\]*\s*[=:]\s*)(?:[^"\\\r\n]|\\.)+/gi, '$1[secret]'],
  [/(bearer\s+)[^\s"'\\,]+/gi, '$1[secret]'],
  [/(:\/\/[^\s:@/"]*:)[^\s@/"]+(@)/g, '$1[secret]$2'],
];

/**
 * A logger that writes one JSON object a line and lets out only the fields of LOG_FIELDS: scalars and lists of scalars,
 * `err` as type, code, message and stack, `req` as method and path without query, `res` as its status. Names of other
 * fields are listed in `omitted`, without their values.
 */
export function createLogger(options: LoggerOptions): Logger {
  const allowed = new Set([...LOG_FIELDS, ...(options.fields ?? [])]);
  const secrets = (options.secrets ?? [])
    .filter((secret) => secret.length >= 8)
    .map((s) => JSON.stringify(s).slice(1, -1));
  const pick = (fields: Record<string, unknown>) => pickFields(fields, allowed);
  const logger = pino(
    {
      level: options.level,
      base: { app: options.app, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: traceIds,
      formatters: { level: (level) => ({ level }), log: pick },
      // The formatter has made plain values of them; others' serializers, as Fastify's, would look for what is gone.
      serializers: { err: asItIs, req: asItIs, res: asItIs },
      hooks: { streamWrite: (line) => hideCredentials(line, secrets) },
    },
    options.destination ?? gatherLines(pino.destination(1)),
  );
  // pino applies no formatter to the bindings of a child; children inherit this.
  const { child, setBindings } = logger;
  logger.child = function (this: Logger, bindings, childOptions) {
    return child.call(this, pick(bindings), childOptions);
  } as typeof child;
  logger.setBindings = function (this: Logger, bindings) {
    setBindings.call(this, pick(bindings));
  };
  return logger;
}

function asItIs(value: unknown): unknown {
  return value;
}

function pickFields(fields: Record<string, unknown>, allowed: ReadonlySet<string>): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  const omitted: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const plain = allowed.has(name) ? plainValue(name, value) : undefined;
    if (plain !== undefined) picked[name] = plain;
    else if (value !== undefined) omitted.push(name);
  }
  if (omitted.length > 0) picked.omitted = omitted;
  return picked;
}

function plainValue(name: string, value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  if (name === 'req') return describeRequest(value);
  if (name === 'res') return { statusCode: scalar(property(value, 'statusCode')) };
  if (Array.isArray(value)) return value.slice(0, 20).map(scalar);
  return scalar(value);
}

function scalar(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) ? value : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function describeRequest(req: unknown): Record<string, unknown> {
  const url = property(req, 'url');
  return {
    method: scalar(property(req, 'method')),
    path: typeof url === 'string' ? url.split('?', 1)[0] : undefined,
  };
}

function describeError(error: Error, depth = 0): Record<string, unknown> {
  return {
    type: error.name,
    code: scalar(property(error, 'code')),
    message: error.message,
    stack: error.stack,
    cause: error.cause instanceof Error && depth < 3 ? describeError(error.cause, depth + 1) : undefined,
  };
}

function hideCredentials(line: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), line);
  return CREDENTIALS.reduce((text, [pattern, shown]) => text.replace(pattern, shown), hidden);
}
