import { LAST_DATE } from './duration.ts';

const ISO_WITH_ZONE =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])([01]\d|2[0-3]):?([0-5]\d))$/;

// Longer than any date the pattern matches: keeps a huge cell away from the pattern.
const LONGEST = 40;

/**
 * Reads an ISO 8601 date and time with a zone: `2026-10-01T00:00:00Z`, seconds, fractions and offsets such as `+02:00`
 * included. Digits below a millisecond are dropped.
 * @returns ms since 1970 UTC, or null when it has no zone, is no real calendar date or lies beyond the year 9999.
 */
export function parseExpiryDate(text: string): number | null {
  if (text.length > LONGEST) return null;
  const match = ISO_WITH_ZONE.exec(text);
  if (match === null) return null;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const midnight = Date.UTC(year, month - 1, day);
  // Date.UTC rolls 30 February over into March, and moves the years 0 to 99 into the 20th century.
  const date = new Date(midnight);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;

  const seconds = Number(match[6] ?? 0);
  const milliseconds = match[7] === undefined ? 0 : Number(match[7].slice(0, 3).padEnd(3, '0'));
  const offsetMinutes = match[8] === undefined ? 0 : Number(match[9]) * 60 + Number(match[10]);
  const minutes = Number(match[4]) * 60 + Number(match[5]) - (match[8] === '-' ? -offsetMinutes : offsetMinutes);
  const at = midnight + minutes * 60_000 + seconds * 1_000 + milliseconds;
  return at > LAST_DATE ? null : at;
}
