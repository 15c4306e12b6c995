import { ConfigError } from './config-error.ts';

/** WAIT has no key, so a cluster client cannot send it to the node that took the write. Throws ConfigError. */
export function refuseReplicasInCluster(redisUrl: string, replicas: number): void {
  if (replicas === 0 || !/^rediss?\+cluster:/.test(redisUrl)) return;
  throw new ConfigError([
    'ACCEPT_REPLICAS needs one master (redis:// or redis+sentinel://): leave it out in a cluster.',
  ]);
}
