import { z } from 'zod';
import { type Options, type OptionsPatch, optionsSchema } from './options.ts';
import { SandboxError } from './sandbox-error.ts';

/** The options in force, changeable while the sandbox runs. */
export type Settings = {
  readonly current: Options;
  /** `unknownPattern`, compiled. */
  readonly unknownUser: RegExp;
  /** Throws SandboxError `invalid_request` for an unknown key or a value out of range, and changes nothing then. */
  configure(patch: unknown): Options;
  /** Back to the options the sandbox was created with. */
  reset(): void;
};

export function buildSettings(initial: OptionsPatch = {}): Settings {
  const first = merge({}, initial);
  let current = first;
  let unknownUser = new RegExp(current.unknownPattern, 'i');

  function put(next: Options): Options {
    current = next;
    unknownUser = new RegExp(next.unknownPattern, 'i');
    return next;
  }

  return {
    get current() {
      return current;
    },
    get unknownUser() {
      return unknownUser;
    },
    configure: (patch) => put(merge(current, patch)),
    reset: () => void put(first),
  };
}

function merge(current: object, patch: unknown): Options {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw new SandboxError('invalid_request', 'Options are a JSON object.');
  }
  const parsed = optionsSchema.safeParse({ ...current, ...patch });
  if (!parsed.success)
    throw new SandboxError('invalid_request', z.prettifyError(parsed.error), { cause: parsed.error });
  return Object.freeze(parsed.data);
}
