import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type Redis, ReplyError } from 'ioredis';
import { ScriptError } from './script-error.ts';

export type ScriptsOptions = {
  /** Texts that stand in for files of these names, included or run: how a test sets the clock. */
  replace?: Readonly<Record<string, string>>;
};

export type ScriptArgument = string | number | Buffer;

export type Scripts = {
  /**
   * Runs the script of that name and resolves to what it returns, in ioredis's reply types. Every key must have one hash
   * tag. Rejects with ScriptError when Redis answers with an error, and with ioredis's own error when it does not answer:
   * then the script may have run.
   */
  run(redis: Redis, name: string, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
};

type Loaded = { readonly text: string; readonly sha1: string };

/** Loaded once per process: a budget, a ledger and more are opened for each account. */
const loadedByDir = new Map<string, ReadonlyMap<string, Loaded>>();

const INCLUDE = /^--!include[ \t]+([A-Za-z0-9_-]+)[ \t]*$/gm;

/**
 * The Lua scripts of a directory: files `name.lua`, in which a line `--!include other` stands for the text of `other.lua`,
 * each file once per script. Throws ScriptError for an include that does not exist.
 */
export function createScripts(dir: URL, options: ScriptsOptions = {}): Scripts {
  const scripts = loadScripts(dir, options.replace ?? {});
  return {
    async run(redis, name, keys, args) {
      const script = scripts.get(name);
      if (script === undefined) throw new ScriptError('script_not_loaded', name, `is not a script of ${dir.pathname}`);
      try {
        return await evaluate(redis, script, keys, args);
      } catch (error) {
        if (!isReply(error)) throw error;
        throw new ScriptError('script_failed', name, error.message, error);
      }
    },
  };
}

function loadScripts(dir: URL, replace: Readonly<Record<string, string>>): ReadonlyMap<string, Loaded> {
  const root = new URL(dir.href.endsWith('/') ? dir.href : `${dir.href}/`);
  const key = JSON.stringify([root.href, replace]);
  let scripts = loadedByDir.get(key);
  if (!scripts) {
    scripts = readScripts(root, replace);
    loadedByDir.set(key, scripts);
  }
  return scripts;
}

function readScripts(root: URL, replace: Readonly<Record<string, string>>): ReadonlyMap<string, Loaded> {
  const sources = new Map<string, string>();
  for (const file of readdirSync(root)) {
    if (file.endsWith('.lua')) sources.set(file.slice(0, -4), readFileSync(new URL(file, root), 'utf8'));
  }
  for (const [name, text] of Object.entries(replace)) sources.set(name, text);
  const scripts = new Map<string, Loaded>();
  for (const name of sources.keys()) {
    const text = assemble(name, sources, new Set([name]));
    scripts.set(name, { text, sha1: createHash('sha1').update(text).digest('hex') });
  }
  return scripts;
}

function isReply(error: unknown): error is Error {
  return error instanceof ReplyError;
}

function assemble(name: string, sources: ReadonlyMap<string, string>, seen: Set<string>): string {
  const text = sources.get(name);
  if (text === undefined) throw new ScriptError('script_not_loaded', name, 'there is no such file to include');
  return text.replace(INCLUDE, (_line, included: string) => {
    if (seen.has(included)) return '';
    seen.add(included);
    return assemble(included, sources, seen);
  });
}

async function evaluate(
  redis: Redis,
  script: Loaded,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...args);
  } catch (error) {
    // A restarted or another server does not have it yet; EVAL leaves it there for the next EVALSHA.
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await redis.eval(script.text, keys.length, ...keys, ...args);
  }
}
