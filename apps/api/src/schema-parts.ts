import { z } from 'zod';

/** Gives a schema a name of its own in the documentation. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  return schema.meta({ id }) as T;
}

/** A moment: ISO 8601 in UTC. */
export const moment = z.iso.datetime().describe('ISO 8601, UTC');
