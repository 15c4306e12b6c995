import { onTestFinished } from 'vitest';
import { createSandbox, type Sandbox, type SandboxInput } from '../src/index.ts';
import { callsOf, openHttp1, openHttp2, SCRIPT } from './clients.ts';

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A sandbox with one account, and a client that speaks the protocol to it; both close with the test. */
export async function openSandbox(
  protocol: Protocol = 'HTTP/1.1',
  input: SandboxInput = {},
): Promise<ReturnType<typeof callsOf> & { sandbox: Sandbox; usernames(): string[] }> {
  const accounts = { alive: { sessionid: 'alive', scripts: [SCRIPT] }, ...input.accounts };
  const sandbox = await createSandbox({ ...input, accounts });
  const client = protocol === 'HTTP/2' ? openHttp2(sandbox) : openHttp1(sandbox);
  onTestFinished(async () => {
    client.close();
    await sandbox.close();
  });
  const usernames = () => sandbox.state.members(SCRIPT).map((member) => member.username);
  return { ...callsOf(client), sandbox, usernames };
}
