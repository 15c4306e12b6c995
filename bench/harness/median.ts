/** The middle one of some figures; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The figure that so large a share of them is at most. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (share === 0.5 && sorted.length > 0 && sorted.length % 2 === 0) {
    return ((sorted[sorted.length / 2 - 1] ?? 0) + (sorted[sorted.length / 2] ?? 0)) / 2;
  }
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
