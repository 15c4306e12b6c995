const SECONDS = /^\d{1,9}$/;

/** Reads a Retry-After value, seconds or an HTTP date, to ms from `now` (ms since 1970); null when it is absent or neither. */
export function parseRetryAfter(value: string | string[] | undefined, now: number): number | null {
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  if (text === undefined || text === '') return null;
  if (SECONDS.test(text)) return Number(text) * 1000;
  // An HTTP date starts with a weekday; Date.parse alone would also take `-5` or `1.5`.
  const at = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
