import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/** `+TIME [DB ADDRESS] "COMMAND" "ARGUMENT" ...`; a script's own calls come from the address `lua`. */
const LINE = /^\+[\d.]+ \[\d+ (?!lua\])[^\]]+\] (.*)$/;
const ARGUMENT = /"((?:[^"\\]|\\.)*)"/g;

/**
 * Commands that clients send to Redis (`redis://HOST:PORT`) in so many seconds, by what they are; what a script calls is not counted. A
 * script goes by its first key, of which numbers and accounts are left out.
 *
 * Over a socket of its own, because the monitor of ioredis dies when the first command comes together with the reply to MONITOR.
 */
export async function countCommands(url: string, seconds: number, signal: AbortSignal): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect', { signal });
    socket.write('MONITOR\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      const [, command] = LINE.exec(line) ?? [];
      if (command === undefined) return;
      const name = commandName([...command.matchAll(ARGUMENT)].map(([, argument = '']) => argument));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    await pause(seconds * 1000, undefined, { signal });
  } finally {
    socket.destroy();
  }
  return counts;
}

const SCRIPTED = new Set(['evalsha', 'eval', 'fcall']);

function commandName([command = '', ...args]: readonly string[]): string {
  const name = command.toLowerCase();
  const key = (SCRIPTED.has(name) ? args[2] : args[0]) ?? '';
  return `${name} ${key.replace(/\{pinegate:[^}]*\}/, '{account}').replace(/[0-9a-f]{8,}|\d+/g, '#')}`.trim();
}
