import { describe, expect, it } from 'vitest';
import type { Fault, Sandbox } from '../src/index.ts';
import { SCRIPT } from './clients.ts';
import { openSandbox, PROTOCOLS } from './open-sandbox.ts';

const faultOf = (sandbox: Sandbox, fault: Fault) =>
  sandbox.state.waitFor((event) => event.kind === 'fault' && event.fault === fault);
const departureOf = (sandbox: Sandbox) => sandbox.state.waitFor((event) => event.kind === 'gone');
const writeOf = (sandbox: Sandbox) => sandbox.state.waitFor((event) => event.kind === 'write');

describe.each(PROTOCOLS)('over %s', (protocol) => {
  it.each([500, 502, 503] as const)('serverError is a %d page before the effect', async (status) => {
    const options = { serverErrorStatuses: [status], faults: { serverError: 1 } };
    const { write, usernames } = await openSandbox(protocol, { options });
    const reply = await write('add', 'bob');
    expect(reply).toMatchObject({ status, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(usernames()).toEqual([]);
  });

  it('serverErrorAfter is the same page after the effect', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { serverErrorAfter: 1 } } });
    expect((await write('add', 'bob')).status).toBeGreaterThanOrEqual(500);
    expect(usernames()).toEqual(['bob']);
  });

  it.each([
    ['resetBefore', []],
    ['resetAfter', ['bob']],
  ] as const)('%s breaks off', async (fault, expected) => {
    const { write, usernames, sandbox } = await openSandbox(protocol);
    sandbox.state.planFault({ fault });
    await expect(write('add', 'bob')).rejects.toThrow(protocol === 'HTTP/2' ? /INTERNAL_ERROR/ : /ECONNRESET|hang up/);
    expect(usernames()).toEqual(expected);
    // The next request gets through: over HTTP/2 on the very same connection.
    expect((await write('add', 'carol')).status).toBe(201);
    expect(sandbox.state.counters().endpoints.add).toEqual({ reset: 1, 201: 1 });
  });

  it('cutLength breaks off in the middle of a body whose length it announced', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { cutLength: 1 } } });
    await expect(write('add', 'bob')).rejects.toThrow();
    expect(usernames()).toEqual(['bob']);
  });

  it('cutClose ends properly, with half of the body', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { cutClose: 1 } } });
    const reply = await write('add', 'bob');
    expect(reply).toMatchObject({ status: 201, body: '{"statu' });
    expect(reply.headers['content-length']).toBeUndefined();
    expect(reply.headers['transfer-encoding']).toBeUndefined();
    expect(usernames()).toEqual(['bob']);
  });

  it.each([
    ['hang', []],
    ['hangAfter', ['bob']],
  ] as const)('%s keeps the request until its client leaves', async (fault, expected) => {
    const { write, usernames, sandbox } = await openSandbox(protocol, { options: { faults: { [fault]: 1 } } });
    const leaving = new AbortController();
    const arrived = faultOf(sandbox, fault);
    const gone = departureOf(sandbox);
    const asked = write('add', 'bob', undefined, { leave: leaving.signal });
    asked.catch(() => {});
    await arrived;
    expect(sandbox.state.counters().accounts.alive).toMatchObject({ inFlight: 1, peak: 1 });
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await gone;
    expect(sandbox.state.counters()).toMatchObject({ inFlight: 0, endpoints: { add: { hung: 1 } } });
    expect(usernames()).toEqual(expected);
  });

  it('drip sends the whole answer in pieces', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { drip: 1 }, dripMs: 1 } });
    expect(await write('add', 'bob')).toMatchObject({ status: 201, body: '{"status":"ok"}' });
    expect(usernames()).toEqual(['bob']);
  });

  it('a dripped answer is over once it is whole: what its client sends next overlaps nothing', async () => {
    const { write, sandbox } = await openSandbox(protocol, { options: { faults: { drip: 1 }, dripMs: 20 } });
    await write('add', 'bob');
    await write('modify', 'bob');
    expect(sandbox.state.writes({}).entries.map(({ overlap }) => overlap)).toEqual([false, false]);
  });

  it('challenge is a page with status 200 and no effect', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { challenge: 1 } } });
    const reply = await write('add', 'bob');
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(usernames()).toEqual([]);
  });

  it('wrongType is the right answer under a wrong content type', async () => {
    const { write, usernames } = await openSandbox(protocol, { options: { faults: { wrongType: 1 } } });
    const reply = await write('add', 'bob');
    expect(reply).toMatchObject({
      status: 201,
      body: '{"status":"ok"}',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    expect(usernames()).toEqual(['bob']);
  });

  it('refuse is one 429', async () => {
    const { write, sandbox, usernames } = await openSandbox(protocol);
    sandbox.state.planFault({ fault: 'refuse' });
    const reply = await write('add', 'bob');
    expect(reply.status).toBe(429);
    expect(reply.headers['retry-after']).toBeUndefined();
    expect((await write('add', 'carol')).status).toBe(201);
    expect(usernames()).toEqual(['carol']);
  });

  it('storm refuses everything of the account until it is over', async () => {
    let now = 0;
    const { write, sandbox, usernames } = await openSandbox(protocol, {
      now: () => now,
      options: { stormMs: 5000, retryAfter: 'exact' },
    });
    sandbox.state.planFault({ fault: 'storm' });
    expect(await write('add', 'bob')).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    now = 3000;
    expect(await write('add', 'bob')).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
    now = 5000;
    expect((await write('add', 'bob')).status).toBe(201);
    expect(usernames()).toEqual(['bob']);
  });

  it('lateWrite takes effect when its client has long gone, on what is there by then', async () => {
    const { write, sandbox } = await openSandbox(protocol, { options: { lateWriteMs: 'held' } });
    await write('add', 'bob');
    sandbox.state.planFault({ fault: 'lateWrite' });
    const leaving = new AbortController();
    const arrived = faultOf(sandbox, 'lateWrite');
    const gone = departureOf(sandbox);
    const asked = write('modify', 'bob', '2099-01-01T00:00:00.000Z', { leave: leaving.signal });
    asked.catch(() => {});
    await arrived;
    leaving.abort();
    await gone;
    await write('modify', 'bob', '2088-01-01T00:00:00.000Z');
    expect(sandbox.state.counters().lateWritesPending).toBe(1);
    expect(sandbox.state.releaseLateWrites()).toBe(1);
    expect(sandbox.state.members(SCRIPT)).toEqual([{ username: 'bob', expiration: '2099-01-01T00:00:00.000Z' }]);
    expect(sandbox.state.writes().entries.map(({ op, late, applied }) => [op, late, applied])).toEqual([
      ['add', false, true],
      ['modify', false, true],
      ['modify', true, true],
    ]);
    expect(sandbox.state.releaseLateWrites()).toBe(0);
  });

  it('lateWrite lands by itself after its delay, counted from the departure', async () => {
    const { write, sandbox, usernames } = await openSandbox(protocol, { options: { lateWriteMs: 1 } });
    sandbox.state.planFault({ fault: 'lateWrite' });
    const leaving = new AbortController();
    const arrived = faultOf(sandbox, 'lateWrite');
    const landed = writeOf(sandbox);
    const asked = write('add', 'bob', undefined, { leave: leaving.signal });
    asked.catch(() => {});
    await arrived;
    expect(usernames()).toEqual([]);
    leaving.abort();
    expect(await landed).toMatchObject({ entry: { username: 'bob', late: true, applied: true } });
    expect(usernames()).toEqual(['bob']);
  });

  it('a write whose client leaves during the latency takes effect all the same', async () => {
    const { write, sandbox, usernames } = await openSandbox(protocol, { options: { latency: { fixed: 100 } } });
    const leaving = new AbortController();
    const arrived = sandbox.state.waitFor((event) => event.kind === 'request');
    const landed = writeOf(sandbox);
    const asked = write('add', 'bob', undefined, { leave: leaving.signal });
    asked.catch(() => {});
    await arrived;
    leaving.abort();
    await landed;
    expect(usernames()).toEqual(['bob']);
  });

  it('two writes for one user at once are seen', async () => {
    const { write, sandbox } = await openSandbox(protocol);
    sandbox.state.planFault({ fault: 'hangAfter' });
    const arrived = faultOf(sandbox, 'hangAfter');
    write('add', 'bob').catch(() => {});
    await arrived;
    await write('add', 'carol');
    await write('modify', 'bob');
    expect(sandbox.state.counters().overlaps).toBe(1);
    const overlapping = sandbox.state.writes().entries.filter((entry) => entry.overlap);
    expect(overlapping).toMatchObject([{ op: 'modify', username: 'bob' }]);
  });
});

describe('a limit over HTTP', () => {
  it.each([
    [{ bucket: { rate: 1, burst: 2 } }, '1'],
    [{ perSecond: 2 }, '1'],
    [{ perMinute: 2 }, '60'],
  ])('%j answers 429, says when if asked to, and can be changed', async (limit, seconds) => {
    const { write, sandbox, usernames } = await openSandbox('HTTP/1.1', { now: () => 0, options: { limit } });
    const statuses = [await write('add', 'a'), await write('add', 'b'), await write('add', 'c')].map((r) => r.status);
    expect(statuses).toEqual([201, 201, 429]);
    expect((await write('add', 'c')).headers['retry-after']).toBeUndefined();
    sandbox.state.configure({ retryAfter: 'exact' });
    expect((await write('add', 'c')).headers['retry-after']).toBe(seconds);
    sandbox.state.configure({ retryAfter: 7 });
    expect((await write('add', 'c')).headers['retry-after']).toBe('7');
    sandbox.state.configure({ limit: null });
    expect((await write('add', 'c')).status).toBe(201);
    expect(usernames()).toEqual(['a', 'b', 'c']);
    expect(sandbox.state.counters().accounts.alive).toMatchObject({ requests: 7, refused: 4 });
  });

  it('caps what is in flight: a hung request holds its place until its client leaves', async () => {
    const { write, sandbox } = await openSandbox('HTTP/1.1', { options: { limit: { concurrency: 1 } } });
    sandbox.state.planFault({ fault: 'hang' });
    const leaving = new AbortController();
    const arrived = faultOf(sandbox, 'hang');
    const gone = departureOf(sandbox);
    const asked = write('add', 'bob', undefined, { leave: leaving.signal });
    asked.catch(() => {});
    await arrived;
    expect((await write('add', 'carol')).status).toBe(429);
    leaving.abort();
    await gone;
    expect((await write('add', 'carol')).status).toBe(201);
  });
});

it('the same seed gives the same faults', async () => {
  const run = async (seed: string) => {
    const options = { faults: { serverError: 0.3, challenge: 0.2, refuse: 0.1 } };
    const { write } = await openSandbox('HTTP/1.1', { seed, options });
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push((await write('add', `user${i}`)).status);
    return statuses;
  };
  expect(await run('one')).toEqual(await run('one'));
  expect(await run('one')).not.toEqual(await run('two'));
});
