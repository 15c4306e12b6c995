import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { join } from 'node:path';
import { startProcess } from '@pinegate/testing';
import { expect, it } from 'vitest';
import { leanHttp2 } from '../src/index.ts';
import { reply, startRawServer } from './raw-server.ts';

leanHttp2();

it('nearly nothing of a finished request gets into the old generation', async () => {
  const server = await startRawServer('HTTP/2', (request) => reply(request, 201, { status: 'ok' }));
  try {
    const env = { BASE_URL: server.baseUrl, CA: server.ca };
    const args = ['--expose-gc', '--max-semi-space-size=8', '--initial-old-space-size=512', '--initial-heap-size=512'];
    const fixture = join(import.meta.dirname, 'fixtures/garbage.ts');
    const child = await startProcess({ args: [...args, fixture], env, readyLine: /^bytes / });
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(Number((await child.line(/^bytes /)).split(' ')[1])).toBeLessThan(1_000);
  } finally {
    await server.close();
  }
});

it('what is bound runs in the scope of its resource, with its arguments and its this', () => {
  const scope = new AsyncLocalStorage<string>();
  const resource = scope.run('inner', () => new AsyncResource('test'));
  function tell(this: unknown, ...args: number[]) {
    return { scope: scope.getStore(), self: this, args };
  }
  const own = { bound: resource.bind(tell) };
  expect(scope.run('outer', () => own.bound(1, 2))).toEqual({ scope: 'inner', self: own, args: [1, 2] });
  const bindTo = resource.bind as (this: AsyncResource, fn: typeof tell, self: unknown) => typeof tell;
  const given = bindTo.call(resource, tell, null);
  expect(scope.run('outer', () => given(3))).toEqual({ scope: 'inner', self: null, args: [3] });
  const statically = scope.run('inner', () => AsyncResource.bind(tell));
  expect(scope.run('outer', () => statically(4))).toMatchObject({ scope: 'inner', args: [4] });
});

it('what is no function is refused as before', () => {
  expect(() => new AsyncResource('test').bind(1 as never)).toThrow(TypeError);
});
