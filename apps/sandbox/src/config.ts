import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SandboxError } from './sandbox-error.ts';

const port = (byDefault: number) => z.coerce.number().int().min(0).max(65_535).default(byDefault);
const text = z.string().min(1);

const schema = z.object({
  SANDBOX_HOST: text.default('127.0.0.1'),
  SANDBOX_PORT: port(5100),
  SANDBOX_TLS_PORT: port(5101),
  SANDBOX_SEED: text.optional(),
  SANDBOX_CERT_FILE: text.optional(),
  SANDBOX_SETUP_FILE: text.optional(),
});

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly seed: string;
  /** Where to write the certificate. */
  readonly certFile: string | null;
  /** A JSON file of options, accounts, users and members to start with. */
  readonly setupFile: string | null;
};

/** Throws SandboxError `invalid_config` that names every mistake. Empty variables count as absent. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, env[name] || undefined]));
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new SandboxError('invalid_config', z.prettifyError(parsed.error));
  const { data } = parsed;
  return Object.freeze({
    host: data.SANDBOX_HOST,
    port: data.SANDBOX_PORT,
    tlsPort: data.SANDBOX_TLS_PORT,
    seed: data.SANDBOX_SEED ?? randomBytes(4).toString('hex'),
    certFile: data.SANDBOX_CERT_FILE ?? null,
    setupFile: data.SANDBOX_SETUP_FILE ?? null,
  });
}
