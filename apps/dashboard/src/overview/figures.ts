/** A rate as people read it. */
export function perSecond(rate: number | null): string {
  return rate === null ? 'no limit' : `${Math.round(rate * 10) / 10}/s`;
}

/** Seconds as people read them: 4 s, 3 min, 2 h, 5 d. */
export function span(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
