import { createServer } from 'node:net';
import { PORT_VARIABLES, type Ports } from './ports.ts';
import { StartProblem } from './start-problem.ts';

/** Errors: `StartProblem` that names every port that cannot be listened on, and the variable that moves it. */
export async function refuseTakenPorts(ports: Ports): Promise<void> {
  const names = Object.keys(ports) as (keyof Ports)[];
  const problems = await Promise.all(names.map((name) => problemOf(ports[name], PORT_VARIABLES[name])));
  const found = problems.filter((problem) => problem !== null);
  if (found.length > 0) throw new StartProblem(found.join('\n'));
}

async function problemOf(port: number, variable: string): Promise<string | null> {
  const server = createServer();
  const code = await new Promise<string | null>((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => resolve(null));
  });
  if (code === null) {
    await new Promise((resolve) => server.close(resolve));
    return null;
  }
  if (code === 'EADDRINUSE') return `Port ${port} is taken: stop what uses it, or set ${variable} to another port.`;
  return `Port ${port} cannot be used (${code}): set ${variable} to another port.`;
}
