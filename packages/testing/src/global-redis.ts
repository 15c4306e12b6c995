import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '@pinegate/runtime';
import type { TestProject } from 'vitest/node';
import './provided-context.ts';

/** Vitest global setup: one private Redis for all integration tests, its address provided as `redisUrl`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-redis-'));
  const server = await startRedisServer({ dir });
  project.provide('redisUrl', server.url);
  return async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
}
