// For each rule of the protocol: in how many of N random histories it was missed when it was dropped.
//   node packages/ledger/test/sabotage-table.ts [N=100] [first seed=1] [rules, as R3,R8; none = the whole ledger] [all: every one]
import { openRedis } from '@pinegate/runtime';
import { startTestRedis } from '@pinegate/testing';
import { LUA_RULES, sabotage } from './sabotage.ts';
import { runHistories } from './world.ts';

const CALLER_RULES = ['R2', 'R15', 'R16', 'R22', 'R23', 'R26', 'R31'];
const BOTH = ['R4'];

const histories = Math.min(10_000, Number(process.argv[2] ?? 100));
const from = Number(process.argv[3] ?? 1);
const all = [...new Set<string>([...LUA_RULES, ...CALLER_RULES])].sort(
  (a, b) => Number(a.slice(1)) - Number(b.slice(1)),
);
const rules = process.argv[4] === undefined ? all : process.argv[4].split(',');

const server = await startTestRedis({ appendOnly: false });
const redis = openRedis(server.url, 'shared');
try {
  for (const rule of rules) {
    const inLua = (LUA_RULES as readonly string[]).includes(rule) && !CALLER_RULES.includes(rule);
    const dropped = new Set(CALLER_RULES.includes(rule) || BOTH.includes(rule) ? [rule] : []);
    const replace = inLua ? sabotage(rule as (typeof LUA_RULES)[number]) : {};
    const found = await runHistories(redis, from, histories, { dropped, replace });
    if (process.argv[5] === 'all') console.log(found.join('\n'));
    console.log(`${rule.padEnd(5)} ${String(found.length).padStart(5)} of ${histories}   ${found[0] ?? ''}`);
  }
} finally {
  await redis.quit();
  await server.close();
}
