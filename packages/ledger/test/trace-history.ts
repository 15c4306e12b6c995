// Tells one history, call by call: node packages/ledger/test/trace-history.ts SEED [rule to drop]
import { openRedis } from '@pinegate/runtime';
import { startTestRedis } from '@pinegate/testing';
import { LUA_RULES, type LuaRule, sabotage } from './sabotage.ts';
import { runHistory } from './world.ts';

const server = await startTestRedis({ appendOnly: false });
const redis = openRedis(server.url, 'shared');
try {
  const rule = process.argv[3] ?? '';
  const replace = (LUA_RULES as readonly string[]).includes(rule) ? sabotage(rule as LuaRule) : {};
  const dropped = new Set([rule]);
  console.log(await runHistory(redis, Number(process.argv[2]), { replace, dropped, trace: console.log }));
} finally {
  await redis.quit();
  await server.close();
}
