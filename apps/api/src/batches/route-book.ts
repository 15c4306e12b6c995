import type { Directory, ScriptRoute } from '@pinegate/ledger';
import { persist } from './persist.ts';
import type { RowChunk } from './row-chunks.ts';

// Scripts of one chunk that are looked up anew: a file of nonsense must not cost a look-up for each row.
const LOOKS = 10;

/** Which account has which script, for one upload. */
export interface RouteBook {
  readonly known: ReadonlyMap<string, ScriptRoute>;
  /** Makes the scripts of a chunk known, as far as any account has them. */
  learn(chunk: RowChunk): Promise<void>;
}

/** Builds an empty book. What it has learned stands to the end of the upload, whatever is done to the accounts meanwhile. */
export function buildRouteBook(scripts: Directory['scripts']): RouteBook {
  const known = new Map<string, ScriptRoute>();
  const asked = new Set<string>();
  async function learnAll(): Promise<void> {
    for (const [script, route] of await persist(() => scripts.all())) known.set(script, route);
  }
  return {
    known,
    async learn(chunk) {
      const missing = new Set<string>();
      for (const row of chunk.rows) {
        if (row.ok && !known.has(row.operation.script) && !asked.has(row.operation.script)) {
          missing.add(row.operation.script);
        }
      }
      if (missing.size === 0) return;
      await learnAll();
      let looks = 0;
      for (const script of missing) {
        asked.add(script);
        if (known.has(script) || ++looks > LOOKS) continue;
        // What was learned may be a moment old; this is not, and `all` is not after it.
        if ((await persist(() => scripts.resolve(script))) !== null) await learnAll();
      }
    },
  };
}
