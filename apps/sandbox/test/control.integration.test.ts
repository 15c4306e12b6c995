import { get as httpsGet } from 'node:https';
import { describe, expect, it } from 'vitest';
import { createSandbox, SandboxError } from '../src/index.ts';
import { FOREIGN_SCRIPT, SCRIPT } from './clients.ts';
import { openSandbox, PROTOCOLS } from './open-sandbox.ts';

describe.each(PROTOCOLS)('the control API over %s', (protocol) => {
  it('configures, tells the options, and refuses unknown keys', async () => {
    const { control } = await openSandbox(protocol);
    const reply = await control('POST', 'configure', { modifyNonMember: 'ok', limit: { perSecond: 5 } });
    expect(JSON.parse(reply.body)).toMatchObject({ modifyNonMember: 'ok', limit: { perSecond: 5 } });
    const refused = await control('POST', 'configure', { modifyNonmember: '422' });
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([400, 'invalid_request']);
    expect(JSON.parse((await control('GET', 'options')).body)).toMatchObject({ modifyNonMember: 'ok' });
  });

  it('creates accounts, kills their sessions and revives them', async () => {
    const { control, get } = await openSandbox(protocol);
    const account = { sessionid: 'new', scripts: [FOREIGN_SCRIPT] };
    expect(JSON.parse((await control('PUT', 'accounts/second', account)).body)).toMatchObject({
      id: 'second',
      session: { alive: true },
    });
    const status = async () => (await get('/tvcoins/details/', { cookie: 'sessionid=new' })).status;
    expect(await status()).toBe(200);
    await control('POST', 'accounts/second/session', { alive: false, form: 'unauthorized' });
    expect(await status()).toBe(401);
    await control('POST', 'accounts/second/session', { alive: true });
    expect(await status()).toBe(200);
    expect(JSON.parse((await control('GET', 'accounts')).body).accounts).toHaveLength(2);
  });

  it('registers users and members, and reads the members back', async () => {
    const { control, write } = await openSandbox(protocol);
    await control('POST', 'users', { registered: ['AliceTrades'], missing: ['nobody'] });
    const members = [
      { username: 'CarolX', expiration: '2099-01-01T00:00:00.000Z' },
      { username: 'dave', expiration: null },
    ];
    expect((await control('POST', 'members', { pine_id: SCRIPT, members })).status).toBe(200);
    expect(JSON.parse((await control('GET', `members?pine_id=${encodeURIComponent(SCRIPT)}`)).body)).toEqual({
      members,
    });
    expect([
      await write('add', 'nobody'),
      await write('add', 'AliceTrades'),
      await write('add', 'CarolX'),
    ]).toMatchObject([{ status: 422 }, { status: 201 }, { body: '{"status":"exists"}' }]);
  });

  it('tells the writes in order, filtered and paged', async () => {
    const { control, write } = await openSandbox(protocol);
    await write('add', 'bob', '2099-01-01T00:00:00.000Z', { headers: { 'x-request-id': 'r1' } });
    await write('add', 'carol');
    await write('remove', 'bob');
    const read = async (query: string) => JSON.parse((await control('GET', `writes?${query}`)).body);
    const all = await read('');
    expect(all).toMatchObject({ next: null, dropped: 0, total: 3 });
    expect(all.entries[0]).toEqual({
      seq: 1,
      at: expect.any(Number),
      arrivedAt: expect.any(Number),
      account: 'alive',
      op: 'add',
      pine_id: SCRIPT,
      username: 'bob',
      expiration: '2099-01-01T00:00:00.000Z',
      result: 'ok',
      applied: true,
      requestId: 'r1',
      late: false,
      overlap: false,
    });
    const ofBob = await read(`pine_id=${encodeURIComponent(SCRIPT)}&username=BOB`);
    expect(ofBob.entries.map((entry: { op: string }) => entry.op)).toEqual(['add', 'remove']);
    expect(await read('after=1&limit=1')).toMatchObject({ entries: [{ seq: 2 }], next: 2 });
    expect((await control('GET', 'writes?limit=0')).status).toBe(400);
  });

  it('waits for a write that has not come yet', async () => {
    const { control, write } = await openSandbox(protocol);
    const waiting = control('GET', 'writes?username=bob&wait=20000');
    await write('add', 'carol');
    await write('add', 'bob');
    expect(JSON.parse((await waiting).body).entries).toMatchObject([{ username: 'bob' }]);
  });

  it('counts requests by endpoint, status and account', async () => {
    const { control, write, get } = await openSandbox(protocol);
    await write('add', 'bob');
    await write('add', 'ghost');
    await get('/tvcoins/details/', { cookie: 'sessionid=other' });
    expect(JSON.parse((await control('GET', 'counters')).body)).toMatchObject({
      requests: 3,
      inFlight: 0,
      peak: 1,
      endpoints: { add: { 201: 1, 422: 1 }, tvcoins: { 403: 1 } },
      accounts: { alive: { requests: 2, refused: 0, inFlight: 0, peak: 1 }, anonymous: { requests: 1 } },
      members: 1,
      lateWritesPending: 0,
    });
  });

  it('plans faults', async () => {
    const { control, write } = await openSandbox(protocol);
    await control('POST', 'faults', { fault: 'challenge', endpoint: 'add', username: 'bob' });
    expect((await write('add', 'carol')).status).toBe(201);
    expect((await write('add', 'bob')).status).toBe(200);
    expect((await control('POST', 'faults', { fault: 'meteor' })).status).toBe(400);
    expect(JSON.parse((await control('POST', 'late-writes')).body)).toEqual({ landed: 0 });
  });

  it('resets to what the sandbox was created with', async () => {
    const members = { [SCRIPT]: [{ username: 'Seed', expiration: null }] };
    const { control, write, sandbox, usernames } = await openSandbox(protocol, { members, options: { dripMs: 7 } });
    await write('add', 'bob');
    await control('PUT', 'accounts/second', { sessionid: 'x' });
    await control('POST', 'configure', { dripMs: 9 });
    expect((await control('POST', 'reset')).status).toBe(200);
    expect(usernames()).toEqual(['Seed']);
    expect(sandbox.state.accounts().map((account) => account.id)).toEqual(['alive']);
    expect(sandbox.state.options().dripMs).toBe(7);
    expect(sandbox.state.writes().total).toBe(0);
    expect(sandbox.state.counters().requests).toBe(0);
    expect((await write('add', 'bob')).status).toBe(201);
  });

  it.each([
    ['PUT', 'accounts/UPPER', { sessionid: 'x' }, 400],
    ['PUT', 'accounts/second', { sessionid: 'a;b' }, 400],
    ['PUT', 'accounts/second', { sessionid: 'x', scripts: ['PUB;1'] }, 400],
    ['PUT', 'accounts/second', { sessionid: 'x', scripts: [SCRIPT] }, 409],
    ['PUT', 'accounts/second', { sessionid: 'alive' }, 409],
    ['POST', 'accounts/nobody/session', { alive: false }, 404],
    ['POST', 'members', { pine_id: SCRIPT, members: [{ username: 'a', expiration: 'soon' }] }, 400],
    ['POST', 'members', { pine_id: SCRIPT, members: [{ username: 'a' }] }, 400],
    ['GET', 'members', undefined, 400],
    ['POST', 'users', { registered: ['two words'] }, 400],
    ['GET', 'nothing', undefined, 404],
    ['POST', 'counters', undefined, 404],
  ])('%s %s with %j is refused', async (method, path, body, status) => {
    const { control, sandbox, usernames } = await openSandbox(protocol);
    expect((await control(method, path, body)).status).toBe(status);
    expect(sandbox.state.accounts()).toHaveLength(1);
    expect(usernames()).toEqual([]);
  });
});

describe('a sandbox', () => {
  it('serves its certificate, which HTTPS clients can trust, HTTP/1.1 ones too', async () => {
    const { control, sandbox } = await openSandbox();
    const pem = (await control('GET', 'certificate')).body;
    expect(pem).toBe(sandbox.certificate);
    const seen = await new Promise((resolve, reject) => {
      httpsGet(`${sandbox.tlsUrl}/__sandbox/health`, { ca: pem, agent: false }, (response) => {
        response.resume().on('end', () => resolve([response.httpVersion, response.statusCode]));
      }).on('error', reject);
    });
    expect(seen).toEqual(['1.1', 200]);
  });

  it('says which port is taken', async () => {
    const { sandbox } = await openSandbox();
    const port = Number(new URL(sandbox.url).port);
    const second = createSandbox({ port });
    await expect(second).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken.`);
    await expect(second).rejects.toBeInstanceOf(SandboxError);
    const tlsTaken = createSandbox({ tlsPort: port });
    await expect(tlsTaken).rejects.toMatchObject({ code: 'port_taken' });
  });

  it('closes twice without harm, with requests hanging and late writes held', async () => {
    const { sandbox, write } = await openSandbox('HTTP/1.1', { options: { faults: { lateWrite: 1 }, lateWriteMs: 1 } });
    const arrived = sandbox.state.waitFor((event) => event.kind === 'fault');
    const asked = write('add', 'bob');
    asked.catch(() => {});
    await arrived;
    const never = sandbox.state.waitFor(() => false);
    never.catch(() => {});
    await Promise.all([sandbox.close(), sandbox.close()]);
    await expect(asked).rejects.toThrow();
    await expect(never).rejects.toMatchObject({ code: 'closed' });
    expect(sandbox.state.members(SCRIPT)).toEqual([]);
  });
});
