import { writeFile } from 'node:fs/promises';
import { parseConfig } from './config.ts';
import { createSandbox } from './create-sandbox.ts';
import { readSetup } from './read-setup.ts';
import { SandboxError } from './sandbox-error.ts';

try {
  await start();
} catch (error) {
  if (!(error instanceof SandboxError)) throw error;
  const hint = error.code === 'port_taken' ? ' Stop what uses it, or set SANDBOX_PORT and SANDBOX_TLS_PORT.' : '';
  process.stderr.write(`${error.message}${hint}\n`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const config = parseConfig(process.env);
  const setup = config.setupFile === null ? {} : await readSetup(config.setupFile);
  const { host, port, tlsPort, seed } = config;
  const sandbox = await createSandbox({ ...setup, host, port, tlsPort, seed });
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void sandbox.close();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (config.certFile !== null) await writeFile(config.certFile, sandbox.certificate);
  process.stdout.write(`sandbox ready: ${sandbox.url} (HTTP/1.1), ${sandbox.tlsUrl} (HTTP/2), seed ${seed}\n`);
}
