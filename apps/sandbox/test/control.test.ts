import { expect, it } from 'vitest';
import { buildControl } from '../src/control.ts';
import type { Answer, Exchange } from '../src/exchange.ts';
import { buildParts } from '../src/parts.ts';
import { buildState } from '../src/state.ts';

async function statusFrom(remoteAddress: string): Promise<number | undefined> {
  const parts = buildParts({ seed: '', now: () => 0, options: {} });
  const control = buildControl({ state: buildState(parts, {}), certificate: '', pause: async () => {} });
  let answered: Answer | undefined;
  const exchange: Exchange = {
    method: 'GET',
    path: '/__sandbox/health',
    query: new URLSearchParams(),
    headers: {},
    remoteAddress,
    gone: false,
    onGone() {},
    readBody: async () => Buffer.alloc(0),
    answer: (answer) => {
      answered = answer;
    },
    cut() {},
    drip: async () => {},
    reset() {},
  };
  await control(exchange);
  return answered?.status;
}

it.each([
  ['127.0.0.1', 200],
  ['127.8.9.1', 200],
  ['::1', 200],
  ['::ffff:127.0.0.1', 200],
  ['10.0.0.7', 403],
  ['::ffff:10.0.0.7', 403],
  ['fe80::1', 403],
  ['', 403],
])('the control API answers %s with %d', async (address, status) => {
  expect(await statusFrom(address)).toBe(status);
});
