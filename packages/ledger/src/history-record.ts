import { type Duration, OUTCOMES, type Outcome } from '@pinegate/access';

/** What an operation asked for. */
export type Asked =
  | { readonly kind: 'set'; readonly expiresAt: number | null }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'set-for' | 'extend'; readonly duration: Duration };

/** An operation of an access that ended. */
export interface HistoryRecord {
  /** When it ended, Redis TIME, ms. */
  readonly at: number;
  readonly version: number;
  readonly asked: Asked;
  readonly outcome: Outcome;
  /** Why it was rejected or failed; null otherwise. */
  readonly code: string | null;
  /** Id of the API key it came with. */
  readonly source: string;
  /** A single operation by its own id, one of a batch by the batch's. */
  readonly kind: 'single' | 'batch';
  readonly id: string;
}

/** Reads an operation as read-history.lua answers it. */
export function decodeHistory(streamId: string, ref: string, text: string): HistoryRecord {
  const [version, outcome, asked = '', , code = ''] = text.split(' ');
  const [kind, source = '', id = ''] = ref.split(' ');
  return {
    at: Number(streamId.split('-', 1)[0]),
    version: Number(version),
    asked: decodeAsked(asked),
    outcome: OUTCOMES[Number(outcome) - 1] as Outcome,
    code: code === '' ? null : code,
    source,
    kind: kind === 's' ? 'single' : 'batch',
    id,
  };
}

function decodeAsked(text: string): Asked {
  const value = text.slice(1);
  switch (text[0]) {
    case 'g':
      return { kind: 'set', expiresAt: Number(value) };
    case 'l':
      return { kind: 'set', expiresAt: null };
    case 'r':
      return { kind: 'revoke' };
    default: {
      const duration: Duration = { amount: Number(value.slice(0, -1)), unit: value.slice(-1) as Duration['unit'] };
      return { kind: text[0] === 'd' ? 'set-for' : 'extend', duration };
    }
  }
}
