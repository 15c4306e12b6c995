// node scripts/restored.mjs: after a restore of Redis with every process stopped, before the first is started again (docs/restore.md).
import { openEpochs } from '@pinegate/ledger';
import { closeRedis, openRedis, redisReady } from '@pinegate/runtime';

const NAMESPACE = 'pinegate';
const PATIENCE_MS = 10_000;

const redis = openRedis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', 'shared');
try {
  await redisReady(redis, AbortSignal.timeout(PATIENCE_MS));
  const { id } = await openEpochs({ redis, ns: NAMESPACE }).renew(null);
  process.stdout.write(
    `New epoch ${id}. Every account is paused: refresh its scripts in mode adopt, then resume it (docs/restore.md).\n`,
  );
} catch (error) {
  process.stderr.write(`restored: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await closeRedis(redis);
}
