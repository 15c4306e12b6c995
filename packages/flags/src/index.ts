export { FLAG_DEFAULTS, type FlagName, type FlagValues } from './flag-names.ts';
export { type Flags, type FlagsOptions, openFlags } from './open-flags.ts';
