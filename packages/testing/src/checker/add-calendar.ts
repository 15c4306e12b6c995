const DAY_MS = 86_400_000;
const LAST_DATE = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Adds `30D`, `2W`, `1M` or `1Y` in UTC, clamped to the month's end. Of the checker's own, so that it cannot share a mistake. */
export function addCalendar(at: number, duration: string): number {
  const amount = Number(duration.slice(0, -1));
  const unit = duration.slice(-1);
  if (unit === 'D' || unit === 'W') return Math.min(LAST_DATE, at + amount * (unit === 'W' ? 7 : 1) * DAY_MS);
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + amount * (unit === 'Y' ? 12 : 1));
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, days));
  return Math.min(LAST_DATE, date.getTime());
}
