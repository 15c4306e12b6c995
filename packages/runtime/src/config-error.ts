import { RuntimeError } from './runtime-error.ts';

/** Every mistake of a configuration, each a sentence that names its variable and never its value. */
export class ConfigError extends RuntimeError {
  override readonly name = 'ConfigError';
  declare readonly code: 'config_invalid';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], cause?: unknown) {
    super('config_invalid', `The configuration is not valid:\n${mistakes.map((m) => `  - ${m}`).join('\n')}`, cause);
    this.mistakes = mistakes;
  }
}
