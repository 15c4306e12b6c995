import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

// Below what systems give to outgoing connections and to who asks for any port: nobody gets one of these by chance, also not while
// the process that listens on it is started again. A cluster's bus port, 10,000 above, is one. Above 10,080, the last that fetch refuses.
const LOWEST = 10_081;
const HIGHEST = 15_999;

/**
 * A TCP port of 127.0.0.1 on which nobody listens, for a process that a test starts: no other test of this machine is given the same one
 * before the calling process has ended.
 */
export async function reservePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if ((await hold(port)) && (await isFree(port))) return port;
  }
}

/** The same port of UDP, which nobody else uses, is the mark; the system takes it away with the process. */
function hold(port: number): Promise<boolean> {
  const mark = createSocket('udp4');
  mark.unref();
  return new Promise((resolve) => {
    mark.once('error', () => {
      mark.close();
      resolve(false);
    });
    mark.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
