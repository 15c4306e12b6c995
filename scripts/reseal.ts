// node scripts/reseal.ts: seals all cookies with PINEGATE_SECRET_KEY that PINEGATE_SECRET_KEY_PREVIOUS sealed (docs/security.md).
import { openDirectory } from '@pinegate/ledger';
import { closeRedis, openRedis, parseEnv, redisReady, secretKeySchema } from '@pinegate/runtime';
import { z } from 'zod';

const NAMESPACE = 'pinegate';
const PATIENCE_MS = 10_000;
const SECRETS = ['REDIS_URL', 'PINEGATE_SECRET_KEY', 'PINEGATE_SECRET_KEY_PREVIOUS'];
const SCHEMA = z.object({
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  PINEGATE_SECRET_KEY: secretKeySchema,
  PINEGATE_SECRET_KEY_PREVIOUS: secretKeySchema,
});

async function reseal(): Promise<void> {
  const env = parseEnv(SCHEMA, process.env, { secrets: SECRETS });
  const redis = openRedis(env.REDIS_URL, 'shared');
  try {
    await redisReady(redis, AbortSignal.timeout(PATIENCE_MS)).catch((cause: unknown) => {
      throw new Error('Redis does not answer: start it, or set REDIS_URL.', { cause });
    });
    const { PINEGATE_SECRET_KEY: secretKey, PINEGATE_SECRET_KEY_PREVIOUS: previousSecretKey } = env;
    const directory = openDirectory({ redis, ns: NAMESPACE, secretKey, previousSecretKey, retentionMs: 1 });
    const resealed = await directory.sessions.reseal();
    process.stdout.write(
      `Sealed anew: ${resealed.length}. Every session opens with PINEGATE_SECRET_KEY now: leave out the previous one.\n`,
    );
  } finally {
    await closeRedis(redis);
  }
}

reseal().catch((error: unknown) => {
  process.stderr.write(`reseal: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
