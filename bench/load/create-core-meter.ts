import { cpuMs } from '../harness/cpu-time.ts';
import type { LoadStack } from './open-load-stack.ts';

/** Cores that each app kept busy since the last call, by its name; all workers together. */
export function createCoreMeter({ stack, dashboard }: LoadStack): () => Readonly<Record<string, number>> {
  const pids = () => ({
    api: [stack.api.pid],
    workers: stack.workers.map(({ pid }) => pid),
    dashboard: [dashboard.process.pid],
    redis: [stack.redis.pid ?? 0],
  });
  const read = () => {
    const ms = Object.entries(pids()).map(
      ([app, all]) => [app, all.reduce((sum, pid) => sum + cpuMs(pid), 0)] as const,
    );
    return { at: performance.now(), ms: new Map(ms) };
  };
  let last = read();
  return () => {
    const now = read();
    const busy = [...now.ms].map(([app, ms]) => {
      const cores = (ms - (last.ms.get(app) ?? 0)) / (now.at - last.at);
      return [`${app} cores`, Math.round(cores * 1000) / 1000];
    });
    last = now;
    return Object.fromEntries(busy);
  };
}
