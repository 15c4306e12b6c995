import { readFileSync } from 'node:fs';

/** Rules of the protocol that live in the ledger's Lua. */
export const LUA_RULES = [
  'R1',
  'R3',
  'R4',
  'R5',
  'R6',
  'R7',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R17',
  'R18',
  'R19',
  'R20',
  'R21',
  'R23',
  'R24',
  'R25',
  'R27',
  'R29',
  'R30',
  'R32',
  'R33',
  'R34',
] as const;
export type LuaRule = (typeof LUA_RULES)[number];

interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** What the Lua looks like without a rule. */
const PATCHES: Readonly<Record<LuaRule, readonly Patch[]>> = {
  R1: [{ file: 'submit', find: 'if is_absolute(c) then', replace: 'if true then' }],
  R3: [
    {
      file: 'claim',
      find: 'if is_fresh(r, t, fresh) or r.window > 0 or fixed then',
      replace: 'if r.v == r.tv or is_fresh(r, t, fresh) and r.window == 0 and not fixed then',
    },
  ],
  R4: [{ file: 'fix', find: 'r.v ~= tonumber(ARGV[4]) or #r.chain == 0', replace: '#r.chain == 0' }],
  R5: [{ file: 'settle', find: 'end_applied(e, s.v,', replace: 'end_applied(e, e.r.v,' }],
  R6: [{ file: 'submit', find: 'return x.v > r.tv end', replace: 'return true end' }],
  R7: [
    { file: 'settle', find: '  release(e.key)\n', replace: '' },
    {
      file: 'settle',
      find: '  save(e)\n  if answer.need ==',
      replace: '  if #e.r.chain == 0 then release(e.key) end\n  save(e)\n  if answer.need ==',
    },
  ],
  R8: [{ file: 'claims', find: 'math.max(r.window, until_)', replace: 'r.window > 0 and r.window or until_' }],
  R9: [{ file: 'settle', find: 'if c.at >= r.window then r.window = 0 end', replace: 'r.window = 0' }],
  R10: [{ file: 'claim', find: 'if c.armed then open_window(r, c.until_ + U) end', replace: '' }],
  R11: [
    {
      file: 'settle',
      find: "if not s.sent then return { need = 'lost' } end",
      replace: "do return { need = 'lost' } end",
    },
  ],
  R12: [
    { file: 'claim', find: '= write_claim(e.key, c)', replace: "= need ~= 'verify' and write_claim(e.key, c)" },
    {
      file: 'verified',
      find: "if not c or c.token ~= token then return cjson.encode({ need = 'lost' }) end",
      replace:
        "if c and c.token ~= token and c.until_ > t then return cjson.encode({ need = 'done' }) end\nc = { token = token, until_ = t + 6000, at = t, armed = false }",
    },
  ],
  R13: [
    {
      file: 'verified',
      find: "if r.base == '?' or shown(read) == shown(r.base) then",
      replace: "if true then r.base = '?'",
    },
  ],
  R14: [{ file: 'verified', find: 'c.armed = true', replace: 'r.window = 0 save(e) flush_store() c.armed = true' }],
  R17: [{ file: 'cancelled', find: 'c.v > r.tv and is_cancelled(c.p)', replace: 'is_cancelled(c.p)' }],
  R18: [{ file: 'cancelled', find: 'r.v = r.v + 1', replace: '' }],
  R19: [
    {
      file: 'submit',
      find: 'want == r.base and #r.chain == 0 and is_sure(r, t, fresh) and',
      replace: 'want == r.base or false and',
    },
  ],
  R20: [{ file: 'claim', find: "return t < r.window and 'wait' or 'final' end", replace: "return 'final' end" }],
  R21: [{ file: 'submit', find: '  if row > wm then\n', replace: '  if true then\n' }],
  R23: [{ file: 'sweep-due', find: "'-inf', t,", replace: "'-inf', 0," }],
  R24: [
    {
      file: 'refresh-page',
      find: "if #r.chain > 0 or r.window > 0 or r.at >= since or redis.call('HEXISTS', claims_key, e.key) == 1 then",
      replace: 'if false then',
    },
    { file: 'refresh-absent', find: 'if #r.chain > 0 or r.window > 0 or r.at >= since then return end', replace: '' },
    { file: 'refresh-absent', find: " or redis.call('HEXISTS', claims_key, e.key) == 1", replace: '' },
  ],
  R25: [{ file: 'settle', find: "end_refused(e, s.v, 'rejected'", replace: "end_refused(e, e.r.v, 'rejected'" }],
  R27: [
    { file: 'claim', find: 'if is_fresh(r, t, fresh) or', replace: 'if true or' },
    { file: 'claims', find: 'r.window == 0 and is_fresh(r, t, fresh)', replace: 'r.window == 0' },
  ],
  // The counting second call never came, one time in twenty.
  R29: [
    {
      file: 'parts',
      find: '  count(p, c, 0, -1)\n',
      replace: "  if redis.call('INCR', tag .. 'crash') % 20 == 1 then return end\n  count(p, c, 0, -1)\n",
    },
  ],
  // The call that writes the chunk never came, one time in eight.
  R30: [
    {
      file: 'submit',
      find: '  gather(group, name)\n',
      replace: "  if redis.call('INCR', tag .. 'crash') % 8 ~= 1 then gather(group, name) end\n",
    },
  ],
  R32: [{ file: 'claims', find: '    set_due(e.key, t + AGAIN_MS)\n', replace: '    drop_due(e.key)\n' }],
  R33: [
    {
      file: 'settle',
      find: 'if not due or due > e.r.window then set_due(e.key, e.r.window) end',
      replace: 'set_due(e.key, e.r.window)',
    },
  ],
  R34: [{ file: 'take', find: "local id = redis.call('HGET', took, job)", replace: 'local id = nil' }],
};

/** claim.lua, or a text of it, where so many lapses in a row are poison: histories are too short for five. */
export function poisonedBy(lapses: number, claim = readLua('claim')): string {
  return claim.replace('local POISON_LAPSES = 5', `local POISON_LAPSES = ${lapses}`);
}

function readLua(file: string): string {
  return readFileSync(new URL(`../src/lua/${file}.lua`, import.meta.url), 'utf8');
}

/** The texts of the Lua files without a rule. Throws when a patch no longer finds its text exactly once. */
export function sabotage(rule: LuaRule): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { file, find, replace } of PATCHES[rule]) {
    const text = texts[file] ?? readLua(file);
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`${rule}: ${file}.lua has its text ${found} times`);
    texts[file] = text.replace(find, () => replace);
  }
  return texts;
}
