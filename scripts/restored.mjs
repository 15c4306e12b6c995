// node scripts/restored.mjs: after a restore of Redis with every process stopped, before the first is started again (docs/restore.md).
import { openEpochs } from '@pinegate/ledger';
import { closeRedis, openRedis, parseEnv, redisReady } from '@pinegate/runtime';
import { z } from 'zod';

const NAMESPACE = 'pinegate';
const PATIENCE_MS = 10_000;
const SCHEMA = z.object({ REDIS_URL: z.string().default('redis://127.0.0.1:6379') });

async function restored() {
  const { REDIS_URL } = parseEnv(SCHEMA, process.env, { secrets: ['REDIS_URL'] });
  const redis = openRedis(REDIS_URL, 'shared');
  try {
    await redisReady(redis, AbortSignal.timeout(PATIENCE_MS)).catch((cause) => {
      throw new Error('Redis does not answer: start it, or set REDIS_URL.', { cause });
    });
    const { id } = await openEpochs({ redis, ns: NAMESPACE }).renew(null);
    process.stdout.write(
      `New epoch ${id}. Every account is paused: refresh its scripts in mode adopt, then resume it (docs/restore.md).\n`,
    );
  } finally {
    await closeRedis(redis);
  }
}

restored().catch((error) => {
  process.stderr.write(`restored: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
