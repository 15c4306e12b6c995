// Tells one history, call by call: node packages/ledger/test/trace-history.ts SEED [rule to drop from the Lua]
import { openRedis } from '@pinegate/runtime';
import { startTestRedis } from '@pinegate/testing';
import { type LuaRule, sabotage } from './sabotage.ts';
import { runHistory } from './world.ts';

const server = await startTestRedis({ appendOnly: false });
const redis = openRedis(server.url, 'shared');
try {
  const replace = process.argv[3] === undefined ? {} : sabotage(process.argv[3] as LuaRule);
  console.log(await runHistory(redis, Number(process.argv[2]), { replace, trace: console.log }));
} finally {
  await redis.quit();
  await server.close();
}
