import { type Duration, parseDuration } from './duration.ts';
import { parseExpiryDate } from './expiry-date.ts';
import { type ParsedRow, type RejectedRow, reject, shown, type Until } from './parsed-row.ts';
import { isPineId } from './pine-id.ts';
import { cleanUsername } from './username.ts';

/** The values of one row; undefined = absent, `expiresAt` null = lifetime. */
export type RowValues = {
  readonly action: unknown;
  readonly script: unknown;
  readonly username: unknown;
  readonly expiresAt: unknown;
  readonly duration: unknown;
  readonly extendBy: unknown;
};

/** What the fields that differ between JSON and CSV are called, and how a lifetime is written, for messages. */
export type RowNames = {
  readonly expiresAt: string;
  readonly duration: string;
  readonly extendBy: string;
  readonly lifetime: string;
};

const JSON_NAMES: RowNames = {
  expiresAt: 'expiresAt',
  duration: 'duration',
  extendBy: 'extendBy',
  lifetime: 'null',
};

/**
 * Reads one operation in its JSON form: `action`, `script`, `username`, and for a grant exactly one of `expiresAt`
 * (ISO 8601 with zone, in the future; null = lifetime), `duration` (`30D`, `1L`) and `extendBy` (`1M`).
 * A field that is undefined is absent. Never throws on what JSON.parse can give.
 * @param now ms since 1970 UTC.
 */
export function parseOperation(raw: unknown, now: number): ParsedRow {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    return reject('invalid_row', null, `A row must be an object, not ${shown(raw)}.`);
  }
  for (const field in raw) {
    if (!isField(field)) return unknownField(field);
  }
  return readOperation(raw as RowValues, JSON_NAMES, now);
}

function isField(name: string): boolean {
  switch (name) {
    case 'action':
    case 'script':
    case 'username':
    case 'expiresAt':
    case 'duration':
    case 'extendBy':
      return true;
    default:
      return false;
  }
}

/** The answer to a field or column that is none of an operation's. */
export function unknownField(name: string): RejectedRow {
  return reject('unknown_field', name.slice(0, 60), `There is no field ${shown(name)} in an operation.`);
}

/** Checks the values of one row, whichever form they came in. */
export function readOperation(values: RowValues, names: RowNames, now: number): ParsedRow {
  const { action, script } = values;
  if (action !== 'grant' && action !== 'revoke') {
    return reject('invalid_action', 'action', `action must be "grant" or "revoke"; it is ${shown(action)}.`);
  }
  if (typeof script !== 'string' || !isPineId(script)) {
    const detail = `script must be "PUB;" and 32 lower-case hex digits; it is ${shown(script)}.`;
    return reject('invalid_script', 'script', detail);
  }
  const username = typeof values.username === 'string' ? cleanUsername(values.username) : null;
  if (username === null) {
    const detail = `username must be 1 to 64 of the characters A-Z a-z 0-9 _ . - (or a profile address); it is ${shown(values.username)}.`;
    return reject('invalid_username', 'username', detail);
  }
  if (action === 'revoke') {
    const extra = firstExpiryField(values, names);
    if (extra !== null) return reject('expiry_not_allowed', extra, `A revoke takes no ${extra}.`);
    return { ok: true, operation: { action, script, username } };
  }
  const until = readUntil(values, names, now);
  return 'ok' in until ? until : { ok: true, operation: { action, script, username, until } };
}

function firstExpiryField(values: RowValues, names: RowNames): string | null {
  if (values.expiresAt !== undefined) return names.expiresAt;
  if (values.duration !== undefined) return names.duration;
  return values.extendBy !== undefined ? names.extendBy : null;
}

const LIFETIME: Until = { kind: 'lifetime' };

function readUntil(values: RowValues, names: RowNames, now: number): Until | RejectedRow {
  const { expiresAt, duration, extendBy } = values;
  const given = Number(expiresAt !== undefined) + Number(duration !== undefined) + Number(extendBy !== undefined);
  if (given !== 1) {
    const choice = `exactly one of ${names.expiresAt}, ${names.duration} and ${names.extendBy}`;
    return given === 0
      ? reject('expiry_missing', null, `A grant needs ${choice}; a lifetime is ${names.expiresAt} ${names.lifetime}.`)
      : reject('expiry_ambiguous', null, `A grant takes ${choice}; this one has ${given} of them.`);
  }
  if (expiresAt !== undefined) return readExpiry(expiresAt, names, now);
  if (duration !== undefined) {
    if (duration === '1L') return LIFETIME;
    const read = readDuration(duration, now);
    if (read !== null) return { kind: 'duration', duration: read };
    return rejectDuration(names.duration, 'or "1L" for a lifetime', duration);
  }
  const read = readDuration(extendBy, now);
  if (read !== null) return { kind: 'extend', duration: read };
  return rejectDuration(names.extendBy, 'and reach no further than the year 9999', extendBy);
}

function readExpiry(value: unknown, names: RowNames, now: number): Until | RejectedRow {
  if (value === null) return LIFETIME;
  const expiresAt = typeof value === 'string' ? parseExpiryDate(value) : null;
  if (expiresAt === null) {
    const wanted = `a real date and time with a zone, such as 2026-10-01T00:00:00Z, or ${names.lifetime} for a lifetime`;
    return reject('invalid_expiry', names.expiresAt, `${names.expiresAt} must be ${wanted}; it is ${shown(value)}.`);
  }
  if (expiresAt <= now) {
    const detail = `${names.expiresAt} must lie in the future; it is ${shown(value)}.`;
    return reject('expiry_in_past', names.expiresAt, detail);
  }
  return { kind: 'date', expiresAt };
}

function readDuration(value: unknown, now: number): Duration | null {
  if (typeof value !== 'string') return null;
  const duration = parseDuration(value);
  if (duration === null || duration === 'lifetime') return null;
  // Only years can leave the calendar: 9999 months are 833 years.
  return duration.unit === 'Y' && new Date(now).getUTCFullYear() + duration.amount > 9_999 ? null : duration;
}

function rejectDuration(field: string, also: string, value: unknown): RejectedRow {
  const detail = `${field} must be a number from 1 to 9999 and one of Y, M, W, D, such as "30D", ${also}; it is ${shown(value)}.`;
  return reject('invalid_duration', field, detail);
}
