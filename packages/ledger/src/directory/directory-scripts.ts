import { createScripts, type Redis } from '@pinegate/runtime';

const LUA = new URL('./lua/', import.meta.url);
// Takes the place of clock.lua under a test's clock, whose time is then the last argument of every call.
const GIVEN_CLOCK = 'local function now() return tonumber(ARGV[#ARGV]) end';

/** Runs the Lua of the directory on one connection. */
export interface DirectoryScripts {
  readonly redis: Redis;
  run(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/** `now`, ms since 1970, stands in for Redis TIME. */
export function buildDirectoryScripts(redis: Redis, now?: () => number): DirectoryScripts {
  const scripts = createScripts(LUA, now ? { replace: { clock: GIVEN_CLOCK } } : {});
  return {
    redis,
    run: (name, keys, args) => scripts.run(redis, name, keys, now ? [...args, now()] : args),
  };
}
