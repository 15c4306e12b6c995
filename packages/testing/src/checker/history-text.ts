import type { Possible } from './fold-possible.ts';
import type { RecordedOperation, RecordedWrite } from './recorded-history.ts';

/** A state as a person reads it. */
export function showState(state: Possible): string {
  if (state === 'none') return 'no access';
  if (state === 'life') return 'a lifetime';
  const lo = new Date(state.lo).toISOString();
  return state.lo === state.hi ? lo : `${lo} to ${new Date(state.hi).toISOString()}`;
}

/** What happened to one access, in the order of time, one event a line. */
export function historyText(of: {
  readonly key: string;
  readonly operations: readonly RecordedOperation[];
  readonly writes: readonly RecordedWrite[];
  readonly before: Possible;
  readonly member: Possible;
}): string {
  const events = [
    ...of.operations.map((o) => ({ at: o.from, text: operationText(o) })),
    ...of.writes.map((w) => ({ at: w.at, text: writeText(w) })),
  ].sort((a, b) => a.at - b.at);
  const lines = events.map(({ at, text }) => `  ${new Date(at).toISOString().slice(11)} ${text}`);
  return [`${of.key}: at first ${showState(of.before)}`, ...lines, `  in the end ${showState(of.member)}`].join('\n');
}

function operationText({
  change,
  version,
  from,
  to,
  redrivenAt,
  answered,
  outcomes,
  source,
}: RecordedOperation): string {
  const what =
    change.kind === 'revoke'
      ? 'revoke'
      : change.kind === 'set'
        ? `grant ${change.expiresAt === null ? 'a lifetime' : new Date(change.expiresAt).toISOString()}`
        : `${change.kind === 'extend' ? 'extend by' : 'grant for'} ${change.duration}`;
  const notes = [
    version === null ? `within ${to - from} ms` : `v${version}`,
    ...(redrivenAt === undefined ? [] : ['redriven']),
    ...(answered ? [] : ['never answered']),
    source,
  ];
  return `accepted ${what} (${notes.join(', ')}): ${outcomes.join(' or ') || 'no outcome'}`;
}

function writeText({ seq, op, expiration, result, applied, requestId, late, overlap }: RecordedWrite): string {
  const notes = [applied ? 'applied' : 'no effect', ...(late ? ['late'] : []), ...(overlap ? ['overlapping'] : [])];
  return `write ${seq} ${op} ${expiration ?? '-'}: ${result} (${notes.join(', ')}) ${requestId ?? ''}`;
}
