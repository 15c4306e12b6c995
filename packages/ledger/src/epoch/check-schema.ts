import { PreflightError, type Redis } from '@pinegate/runtime';
import { directoryNames } from '../directory/directory-names.ts';

/** The schema that this code writes; directory/lua/epoch.lua writes it down. */
const SCHEMA = 1;

/** Refuses what a newer Pinegate has written in a way that this one cannot read. Throws PreflightError; errors of Redis pass as they are. */
export async function checkSchema(redis: Redis, ns: string): Promise<void> {
  const found = Number((await redis.hget(directoryNames(ns).epoch, 'schema')) ?? SCHEMA);
  if (found <= SCHEMA) return;
  throw new PreflightError(
    'schema_newer',
    `The data in Redis has schema ${found}, this Pinegate knows ${SCHEMA}: start the newer release.`,
  );
}
