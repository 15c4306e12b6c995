/** What a look-up said: the spelling TradingView uses, or null when there is no such user. */
export interface CachedName {
  readonly canonical: string | null;
  /** When it was looked up, ms since 1970. */
  readonly checkedAt: number;
}

/** `<checkedAt>:<canonical>`; nothing after the colon = no such user. */
export function formatCachedName({ canonical, checkedAt }: CachedName): string {
  return `${checkedAt}:${canonical ?? ''}`;
}

/** null for what `formatCachedName` does not write: a newer release may store another form. */
export function parseCachedName(text: string): CachedName | null {
  const match = /^(\d{1,15}):([A-Za-z0-9_.-]{0,64})$/.exec(text);
  return match ? { canonical: match[2] || null, checkedAt: Number(match[1]) } : null;
}
