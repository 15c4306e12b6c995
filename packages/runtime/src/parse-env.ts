import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';

/** A process environment. */
export type Env = Readonly<Record<string, string | undefined>>;

export type ParseEnvOptions = {
  /** Names that may also be given as `NAME_FILE`, the path of a file that holds the value. */
  secrets?: readonly string[];
};

/**
 * The secret `name`: the value of NAME, or what the file named by NAME_FILE holds (its last line break dropped);
 * undefined when neither is set. Throws ConfigError when both are, or the file cannot be read or is empty.
 */
export function secretFrom(env: Env, name: string): string | undefined {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new ConfigError([`${name} and ${name}_FILE are both set: keep one of them.`]);
  const held = readSecretFile(name, file).replace(/\r?\n$/, '');
  if (held === '') throw new ConfigError([`${name}_FILE names an empty file: ${file}`]);
  return held;
}

function readSecretFile(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new ConfigError([`${name}_FILE names a file that cannot be read (${reason}): ${file}`], cause);
  }
}

/**
 * Reads an environment by a zod object schema; an empty value counts as absent. Returns a frozen object.
 * Throws one ConfigError with all mistakes, never with a value.
 */
export function parseEnv<S extends z.ZodObject>(
  schema: S,
  env: Env,
  options: ParseEnvOptions = {},
): Readonly<z.output<S>> {
  const mistakes: string[] = [];
  const unread = new Set<string>();
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(schema.shape)) given[name] = env[name] || undefined;
  for (const name of options.secrets ?? []) {
    try {
      given[name] = secretFrom(env, name);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      mistakes.push(...error.mistakes);
      unread.add(name);
    }
  }
  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '');
    if (!unread.has(name)) mistakes.push(describeMistake(name, issue, given));
  }
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes, undefined);
  return Object.freeze(parsed.data);
}

function describeMistake(name: string, issue: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  if (name === '') return issue.message;
  if (given[name] === undefined) return `${name} is not set.`;
  return `${name}: ${issue.message}`;
}
