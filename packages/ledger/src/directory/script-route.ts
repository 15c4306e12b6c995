import type { ScriptRoute } from '../directory-types.ts';

/** A route from its stored form `<account>:<index>`; null for anything else. */
export function parseRoute(text: string | null | undefined): ScriptRoute | null {
  const match = /^([^:]+):(\d+)$/.exec(text ?? '');
  return match?.[1] ? { account: match[1], index: Number(match[2]) } : null;
}
