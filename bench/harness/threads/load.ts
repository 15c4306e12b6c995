import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadOrder, LoadResult } from '../load.ts';

// Sends requests over connections of its own, one at a time on each, and reads no more of the answers than their status and length: an
// HTTP client would cost as much as what is measured. With a rate each request has its moment, from which its answer is counted.
const { host, port, head, body, connections, perSecond, seconds, first } = workerData as LoadOrder;
const took: number[] = [];
const statuses: Record<string, number> = {};
const due: number[] = [];
const idle: Connection[] = [];
let number = first;
let sent = 0;
let until = Number.POSITIVE_INFINITY;

interface Connection {
  readonly socket: Socket;
  dueAt: number;
}

const all = await Promise.all(Array.from({ length: connections }, open));
parentPort?.postMessage('ready');
parentPort?.once('message', start);

function open(): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const socket = connect(port, host).setNoDelay(true);
  const connection: Connection = { socket, dueAt: 0 };
  let text = '';
  socket.once('connect', () => resolve(connection)).once('error', reject);
  socket.setEncoding('latin1').on('data', (piece) => {
    text += piece;
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < end + 4 + length) return;
    const status = text.slice(9, 12);
    text = '';
    answered(connection, status);
  });
  return promise;
}

function start(): void {
  const startedAt = performance.now();
  const cpuBefore = process.threadCpuUsage();
  until = startedAt + seconds * 1000;
  for (const connection of all) {
    if (perSecond === null) send(connection, performance.now());
    else idle.push(connection);
  }
  let scheduled = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (perSecond !== null) {
      for (; scheduled < (Math.min(now, until) - startedAt) * (perSecond / 1000); scheduled++) {
        due.push(startedAt + (scheduled * 1000) / perSecond);
      }
      while (due.length > 0 && idle.length > 0) send(idle.pop() as Connection, due.shift() as number);
    }
    if (now < until || took.length < sent || due.length > 0) return;
    clearInterval(timer);
    const { user, system } = process.threadCpuUsage(cpuBefore);
    const result: LoadResult = { took, statuses, seconds: (now - startedAt) / 1000, cpuMs: (user + system) / 1000 };
    for (const { socket } of all) socket.destroy();
    parentPort?.postMessage(result);
  }, 1);
}

function send(connection: Connection, dueAt: number): void {
  connection.dueAt = dueAt;
  sent += 1;
  connection.socket.write(`${head.replace('#', String(number++))}content-length: ${body.length}\r\n\r\n${body}`);
}

function answered(connection: Connection, status: string): void {
  const now = performance.now();
  took.push(now - connection.dueAt);
  statuses[status] = (statuses[status] ?? 0) + 1;
  const next = due.shift();
  if (perSecond === null) {
    if (now < until) send(connection, now);
  } else if (next === undefined) idle.push(connection);
  else send(connection, next);
}
