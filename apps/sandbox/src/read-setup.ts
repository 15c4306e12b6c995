import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { setupSchema } from './control-schemas.ts';
import { SandboxError } from './sandbox-error.ts';

export type SetupFile = z.infer<typeof setupSchema>;

/** What a setup file holds. Throws SandboxError `invalid_config` for one that cannot be read or understood. */
export async function readSetup(path: string): Promise<SetupFile> {
  try {
    return setupSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new SandboxError('invalid_config', `SANDBOX_SETUP_FILE ${path}: ${reason}`, { cause: error });
  }
}
