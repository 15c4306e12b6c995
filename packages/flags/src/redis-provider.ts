import {
  ErrorCode,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import type { Redis } from '@pinegate/runtime';

/** An OpenFeature provider of boolean flags that are the fields of one Redis hash: `1` on, `0` off. */
export interface RedisProvider extends Provider {
  /** Reads the hash; what has changed is emitted as `ConfigurationChanged`. Errors: those of Redis, and the values stay. */
  load(): Promise<void>;
}

/** Nothing is read before `load`. */
export function buildRedisProvider(redis: Redis, key: string): RedisProvider {
  const events = new OpenFeatureEventEmitter();
  let stored: Readonly<Record<string, string>> = {};

  function mismatch<T>(value: T): ResolutionDetails<T> {
    return { value, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.TYPE_MISMATCH };
  }

  return {
    metadata: { name: 'pinegate-redis' },
    runsOn: 'server',
    events,
    async load() {
      const found = await redis.hgetall(key);
      const names = new Set([...Object.keys(found), ...Object.keys(stored)]);
      const flagsChanged = [...names].filter((name) => found[name] !== stored[name]);
      stored = found;
      if (flagsChanged.length > 0) events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    },
    async resolveBooleanEvaluation(name, value) {
      const text = stored[name];
      if (text === undefined) return { value, reason: StandardResolutionReasons.DEFAULT };
      return { value: text === '1', reason: StandardResolutionReasons.CACHED };
    },
    resolveStringEvaluation: async (_name, value) => mismatch(value),
    resolveNumberEvaluation: async (_name, value) => mismatch(value),
    resolveObjectEvaluation: async (_name, value) => mismatch(value),
  };
}
