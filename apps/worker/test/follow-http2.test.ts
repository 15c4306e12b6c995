import type { FlagValues } from '@pinegate/flags';
import type { TradingView } from '@pinegate/tradingview';
import { expect, test } from 'vitest';
import { followHttp2 } from '../src/follow-http2.ts';

function open() {
  const did: string[] = [];
  const listeners: ((values: FlagValues) => void)[] = [];
  let values: FlagValues = { acceptRevokes: true, acceptBulk: true, verifyEveryWrite: false, http2: true };
  const flags = {
    get values() {
      return values;
    },
    onChange: (listener: (values: FlagValues) => void) => void listeners.push(listener),
  };
  const openClient = (http2: boolean) => {
    const name = http2 ? 'h2' : 'h1';
    did.push(`open ${name}`);
    return {
      hint: async (username: string) => {
        did.push(`${name} hint ${username}`);
        return username;
      },
      close: async () => void did.push(`close ${name}`),
      destroy: async () => void did.push(`destroy ${name}`),
    } as unknown as TradingView;
  };
  const change = (next: Partial<FlagValues>) => {
    values = { ...values, ...next };
    for (const listener of listeners) listener(values);
  };
  return { did, change, upstream: followHttp2(openClient, flags as Parameters<typeof followHttp2>[1]) };
}

test('the next request goes the way that the flag says, and the old connections close when they are idle', async () => {
  const { did, change, upstream } = open();
  await upstream.hint('ann');
  change({ http2: false });
  await upstream.hint('bob');
  change({ verifyEveryWrite: true });
  change({ http2: true });
  await upstream.hint('cid');
  // What has closed is let go a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  await upstream.destroy();
  expect(did).toEqual([
    'open h2',
    'h2 hint ann',
    'open h1',
    'close h2',
    'h1 hint bob',
    'open h2',
    'close h1',
    'h2 hint cid',
    'destroy h2',
  ]);
});
