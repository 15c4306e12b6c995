import { LUA_RULES, type LuaRule, sabotage } from '../../packages/ledger/test/sabotage.ts';
import type { SourcePatch } from './sources.ts';

const WORKER = 'apps/worker/src';

/** What the worker looks like without a rule of its own. */
const WORKER_RULES: Readonly<Record<string, readonly SourcePatch[]>> = {
  R2: [
    {
      file: `${WORKER}/send-write.ts`,
      find: 'fold(work.base, work.chain)',
      replace:
        "fold(work.base, work.chain.map((c) => (c.kind === 'extend' || c.kind === 'set-for' ? { ...c, acceptedAt: Math.floor(now) } : c)))",
    },
  ],
  R15: [
    {
      file: `${WORKER}/send-write.ts`,
      find: "    return { next: mustReplace(w.target, w.ctx) ? 'remove' : 'modify' };",
      replace: "    return { settle: applied(w, 'granted') };",
    },
  ],
  R16: [
    {
      file: `${WORKER}/send-write.ts`,
      find: "      if (call === 'modify') return { next: 'add' };",
      replace: "      if (call === 'modify') return { settle: rejected(w, 'USER_NOT_FOUND') };",
    },
  ],
  R22: [
    { file: `${WORKER}/send-write.ts`, find: '!held || spareMs(w) >= 0', replace: 'true' },
    { file: `${WORKER}/send-write.ts`, find: '  if (spare <= 0) return null;\n', replace: '' },
    { file: `${WORKER}/send-write.ts`, find: 'maxWaitMs: spare }', replace: 'maxWaitMs: 60_000 }' },
    {
      file: `${WORKER}/send-write.ts`,
      find: '  if (permits && spareMs(w) < 0) {',
      replace: '  if (permits && false) {',
    },
    {
      file: `${WORKER}/slot-in-time.ts`,
      find: '(await request.ready) && leaseLeft(ticket, limits.leaseMs, monotonic()) >= limits.requestDeadlineMs',
      replace: 'await request.ready',
    },
  ],
  R23: [
    {
      file: `${WORKER}/build-sweeper.ts`,
      find: "    if (account.state !== 'active') return;",
      replace: '    if (account) return;',
    },
  ],
  R26: [
    {
      file: `${WORKER}/send-write.ts`,
      find: '  const base = effectiveState(work.base, now);',
      replace: '  const base = work.base;',
    },
  ],
  R31: [
    {
      file: `${WORKER}/work-chunk.ts`,
      find: "  if (run.left.size > 0) return { result: 'hand-over' };\n",
      replace: '',
    },
  ],
};

/** The rules that a storm can do without. */
export const STORM_RULES = [...new Set<string>([...LUA_RULES, ...Object.keys(WORKER_RULES)])].sort(
  (a, b) => Number(a.slice(1)) - Number(b.slice(1)),
);

/** What a storm needs to run without a rule of the protocol. Throws for one that it cannot do without. */
export function withoutRule(rule: string): {
  readonly texts: Readonly<Record<string, string>>;
  readonly patches: readonly SourcePatch[];
} {
  const patches = WORKER_RULES[rule];
  if (patches) return { texts: {}, patches };
  if (!(LUA_RULES as readonly string[]).includes(rule)) {
    throw new Error(`a storm cannot be run without ${rule}; it can without ${STORM_RULES.join(' ')}`);
  }
  const texts = Object.entries(sabotage(rule as LuaRule)).map(([name, text]) => [
    `packages/ledger/src/lua/${name}.lua`,
    text,
  ]);
  return { texts: Object.fromEntries(texts), patches: [] };
}
