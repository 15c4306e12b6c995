import { RuntimeError } from './runtime-error.ts';

/** A Lua script that cannot be loaded, or that Redis answered with an error. */
export class ScriptError extends RuntimeError {
  override readonly name = 'ScriptError';
  declare readonly code: 'script_not_loaded' | 'script_failed';
  /** The script's name: its file name without `.lua`. */
  readonly script: string;
  /** First word of Redis's answer, as `OOM`, `READONLY` or what the script itself gave; null for one that was not loaded. */
  readonly reply: string | null;

  constructor(code: 'script_not_loaded' | 'script_failed', script: string, message: string, cause?: unknown) {
    super(code, `${script}: ${message}`, cause);
    this.script = script;
    this.reply = code === 'script_failed' ? (message.split(' ', 1)[0] ?? null) : null;
  }
}
