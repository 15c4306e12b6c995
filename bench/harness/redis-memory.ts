import type { Redis } from '@pinegate/runtime';

/** Bytes of Redis without the buffers of its clients and of its append-only file, which come and go. */
export async function storedBytes(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return field('used_memory') - field('mem_clients_normal') - field('mem_aof_buffer');
}
