import { connect } from 'node:net';

/** Sends one inline command to 127.0.0.1:`port` and resolves to the first bytes of the answer; null if none comes. */
export function askRedis(port: number, command: string, timeoutMs = 500): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (answer: string | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(null));
    socket.once('connect', () => socket.write(`${command}\r\n`));
    socket.once('data', (data) => finish(data.toString()));
    socket.once('error', () => finish(null));
    socket.once('close', () => finish(null));
  });
}
