import type { Redis } from '@pinegate/runtime';
import type { SourcePatch } from './sources.ts';

const LUA = 'packages/ledger/src/lua';

/**
 * What a storm adds to the ledger's Lua: each acceptance and each outcome is noted by the very call that makes it, in the order of the
 * ledger. Nothing else knows the place of a row among the others of its access.
 */
export const JOURNAL: readonly SourcePatch[] = [
  {
    file: `${LUA}/parts.lua`,
    find: '-- A contributor was accepted (or came back by a redrive).\n',
    replace: `local function journal(kind, e, c, number, more)
  redis.call('RPUSH', tag .. 'journal', cjson.encode({ kind, part_of(number).id or '', e.script, e.name, c.v, more }))
end
-- A contributor was accepted (or came back by a redrive).
`,
  },
  {
    file: `${LUA}/parts.lua`,
    find: 'at, into, replaced)\n  local p = part_of(c.p)\n',
    replace:
      "at, into, replaced)\n  local p = part_of(c.p)\n  journal('ended', e, c, c.p, { outcome = outcome, at = at, code = code })\n",
  },
  {
    file: `${LUA}/submit.lua`,
    find: '  accepted(c, 1)\n',
    replace:
      "  accepted(c, 1)\n  journal('accepted', e, c, number, { row = c.row, at = t, expires = c.k == 'g' and c.a or nil })\n",
  },
  {
    file: `${LUA}/submit.lua`,
    find: '    append(e, contributor(row_kind, value))\n',
    replace: '    local c = contributor(row_kind, value)\n    c.row = row\n    append(e, c)\n',
  },
  {
    file: `${LUA}/submit.lua`,
    find: '  if expect_new and begin(script, name, row_kind, spelling, value) then return true end\n',
    replace: `  if expect_new and begin(script, name, row_kind, spelling, value) then
    local expires = row_kind == 'g' and tonumber(value) or nil
    journal('accepted', { script = script, name = name }, { v = 1 }, number, { row = row, at = t, expires = expires })
    return true
  end
`,
  },
  {
    file: `${LUA}/redrive.lua`,
    find: '  accepted(c, 0)\n',
    replace: "  accepted(c, 0)\n  journal('redriven', e, c, p.number, { was = f.v, at = t })\n",
  },
  {
    file: `${LUA}/redrive.lua`,
    find: "    move_count(p, 'failed', 'superseded')\n",
    replace:
      "    move_count(p, 'failed', 'superseded')\n    journal('outlived', e, { v = f.v }, p.number, { at = t })\n",
  },
];

/** One line of the journal. `at`: Redis TIME, ms. */
export type JournalEntry = {
  readonly part: string;
  /** Index of the script in the directory. */
  readonly script: number;
  /** Lower case. */
  readonly username: string;
  readonly version: number;
  readonly at: number;
} & (
  | { readonly kind: 'accepted'; readonly row: number; readonly expires: number | null }
  | { readonly kind: 'ended'; readonly outcome: string; readonly code: string | null }
  | { readonly kind: 'redriven'; readonly was: number }
  | { readonly kind: 'outlived' }
);

/** The journal of an account, in ledger order. */
export async function readJournal(redis: Redis, tag: string): Promise<JournalEntry[]> {
  const lines = await redis.lrange(`${tag}:journal`, 0, -1);
  return lines.map((line) => {
    const [kind, part, script, username, version, more] = JSON.parse(line);
    return { kind, part, script: Number(script), username, version, expires: null, code: null, ...more };
  });
}
