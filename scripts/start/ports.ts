import { StartProblem } from './start-problem.ts';

/** Where the demo listens, all on 127.0.0.1. */
export interface Ports {
  readonly api: number;
  readonly dashboard: number;
  readonly worker: number;
  readonly secondWorker: number;
  readonly sandbox: number;
  readonly sandboxTls: number;
}

/** The variable that moves each port. */
export const PORT_VARIABLES: Readonly<Record<keyof Ports, string>> = {
  api: 'API_PORT',
  dashboard: 'DASHBOARD_PORT',
  worker: 'WORKER_PORT',
  secondWorker: 'WORKER_PORT',
  sandbox: 'SANDBOX_PORT',
  sandboxTls: 'SANDBOX_TLS_PORT',
};

/** Errors: `StartProblem` for what is no port, or the same port twice. The second worker takes the port after the first. */
export function parsePorts(env: Readonly<Record<string, string | undefined>>): Ports {
  const read = (variable: string, byDefault: number) => {
    const text = env[variable] || String(byDefault);
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    // Port 0 would leave the processes unable to find each other.
    if (port < 1 || port > 65_534) throw new StartProblem(`${variable} must be a port from 1 to 65534.`);
    return port;
  };
  const worker = read('WORKER_PORT', 5002);
  const ports: Ports = {
    api: read('API_PORT', 5000),
    dashboard: read('DASHBOARD_PORT', 5001),
    worker,
    secondWorker: worker + 1,
    sandbox: read('SANDBOX_PORT', 5100),
    sandboxTls: read('SANDBOX_TLS_PORT', 5101),
  };
  const seen = new Map<number, string>();
  for (const [name, port] of Object.entries(ports) as [keyof Ports, number][]) {
    const variable = PORT_VARIABLES[name];
    const other = seen.get(port);
    if (other !== undefined)
      throw new StartProblem(
        `${variable} and ${other} both give port ${port} (a second worker takes WORKER_PORT + 1).`,
      );
    seen.set(port, variable);
  }
  return ports;
}
