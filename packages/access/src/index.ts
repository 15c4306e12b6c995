export { parseCsvOperation } from './csv-operation.ts';
export { addDuration, type Duration, formatDuration, parseDuration } from './duration.ts';
export { type AccessState, type Change, effectiveState, fold, sameState } from './fold.ts';
export { type Action, LANES, type Lane, laneOf } from './lane.ts';
export { parseOperation } from './operation.ts';
export { OUTCOMES, type Outcome } from './outcome.ts';
export type { Operation, ParsedRow, RowCode, Until } from './parsed-row.ts';
export { isPineId } from './pine-id.ts';
export { cleanUsername } from './username.ts';
