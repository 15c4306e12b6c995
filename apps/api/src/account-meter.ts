/** What an account's budgets do at the moment. */
export interface MeterReading {
  /** Requests a second that each budget allows now; null = what it starts with. */
  readonly rates: Readonly<Record<'grant' | 'revoke' | 'list' | 'lookup', number | null>>;
  /** Requests under way. */
  readonly inFlight: number;
}

/** Reads what the workers have learned of an account's limits. */
export interface AccountMeter {
  read(account: string): Promise<MeterReading>;
}
