import { describe, expect, it } from 'vitest';
import { DEAD_SESSION_FORMS, type OptionsPatch } from '../src/index.ts';
import { SCRIPT } from './clients.ts';
import { openSandbox, PROTOCOLS } from './open-sandbox.ts';

const PAST = '2020-01-01T00:00:00.000Z';
const FUTURE = '2099-01-01T00:00:00.000Z';
const OK = '{"status":"ok"}';

const openWith = (options: OptionsPatch = {}) => openSandbox('HTTP/1.1', { options });
const usernamesOf = (body: string) => JSON.parse(body).results.map((row: { username: string }) => row.username);

describe('a switch', () => {
  it('modifyNonMember: 422, or ok and nothing happens', async () => {
    const { write, sandbox, usernames } = await openWith();
    expect((await write('modify', 'bob', FUTURE)).status).toBe(422);
    sandbox.state.configure({ modifyNonMember: 'ok' });
    expect(await write('modify', 'bob', FUTURE)).toMatchObject({ status: 200, body: OK });
    expect(usernames()).toEqual([]);
    expect(sandbox.state.writes().entries.map(({ result, applied }) => [result, applied])).toEqual([
      ['not_found', false],
      ['ignored', false],
    ]);
  });

  it('removeAbsent: not_exists, or 422', async () => {
    const { write, sandbox } = await openWith();
    expect(await write('remove', 'bob')).toMatchObject({ status: 200, body: '{"status":"not_exists"}' });
    sandbox.state.configure({ removeAbsent: '422' });
    expect(await write('remove', 'bob')).toMatchObject({
      status: 422,
      body: '{"code":"username_recip_not_found","detail":"User not found: bob"}',
    });
  });

  it('expiredListed: an expired user is a member still, or none any more', async () => {
    const { write, list, sandbox } = await openWith();
    await write('add', 'bob', PAST);
    expect(usernamesOf((await list()).body)).toEqual(['bob']);
    expect((await write('add', 'bob', FUTURE)).body).toBe('{"status":"exists"}');
    sandbox.state.configure({ expiredListed: false });
    expect(usernamesOf((await list()).body)).toEqual([]);
    expect((await write('modify', 'bob', FUTURE)).status).toBe(422);
    expect((await write('add', 'bob', FUTURE)).status).toBe(201);
    expect(usernamesOf((await list()).body)).toEqual(['bob']);
  });

  it('datedToLifetime: works, or is ignored', async () => {
    const { write, sandbox } = await openWith({ datedToLifetime: 'ignored' });
    await write('add', 'bob', FUTURE);
    expect(await write('modify', 'bob')).toMatchObject({ status: 200, body: OK });
    expect(sandbox.state.members(SCRIPT)).toEqual([{ username: 'bob', expiration: FUTURE }]);
    sandbox.state.configure({ datedToLifetime: 'works' });
    expect(await write('modify', 'bob')).toMatchObject({ status: 200, body: OK });
    expect(sandbox.state.members(SCRIPT)).toEqual([{ username: 'bob', expiration: null }]);
  });

  it('usernameFilter: prefix, or substring', async () => {
    const { write, list, sandbox } = await openWith();
    for (const name of ['bob', 'bobby', 'abob']) await write('add', name);
    const found = async () => usernamesOf((await list('?order_by=user__username', { username: 'BOB' })).body);
    expect(await found()).toEqual(['bob', 'bobby']);
    sandbox.state.configure({ usernameFilter: 'substring' });
    expect(await found()).toEqual(['abob', 'bob', 'bobby']);
  });

  it('caseSensitive: only the canonical spelling, or any', async () => {
    const { write, usernames, sandbox } = await openWith();
    sandbox.state.registerUsers(['AliceTrades']);
    expect((await write('add', 'alicetrades')).status).toBe(422);
    sandbox.state.configure({ caseSensitive: false });
    expect((await write('add', 'alicetrades')).status).toBe(201);
    expect(usernames()).toEqual(['AliceTrades']);
  });

  it('openWorld and unknownPattern: who exists', async () => {
    const { write, get, sandbox } = await openWith({ unknownPattern: '^(ghost|void)' });
    expect((await write('add', 'void1')).status).toBe(422);
    expect((await write('add', 'bob')).status).toBe(201);
    sandbox.state.configure({ openWorld: false });
    expect((await write('add', 'carol')).status).toBe(422);
    expect((await get('/username_hint/?s=carol')).body).toBe('[]');
  });

  it('clockOffsetMs: moves the clock of expirations', async () => {
    const { write, list, sandbox } = await openSandbox('HTTP/1.1', { now: () => 0, options: { expiredListed: false } });
    await write('add', 'bob', '1970-01-02T00:00:00.000Z');
    expect(usernamesOf((await list()).body)).toEqual(['bob']);
    sandbox.state.configure({ clockOffsetMs: 86_400_000 });
    expect(usernamesOf((await list()).body)).toEqual([]);
    expect(sandbox.state.writes().entries[0]?.at).toBe(0);
  });
});

describe.each(PROTOCOLS)('a dead session over %s', (protocol) => {
  const SHAPES = {
    unauthorized: { status: 401 },
    login_required: { status: 403, body: expect.stringContaining('"code":"login_required"') },
    detail: { status: 403, body: '{"detail":"Authentication credentials were not provided."}' },
    redirect: { status: 302, headers: { location: '/accounts/signin/' } },
    html: {
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: expect.stringContaining('<!DOCTYPE html>'),
    },
  };

  it.each(DEAD_SESSION_FORMS)('shows as %s on every call, changes nothing, and can be revived', async (form) => {
    const { write, get, list, usernames, sandbox } = await openSandbox(protocol);
    sandbox.state.setSession('alive', { alive: false, form });
    const replies = [
      await get('/tvcoins/details/'),
      await get('/pine_perm/list_scripts/'),
      await list(),
      await write('add', 'bob'),
    ];
    for (const reply of replies) expect(reply).toMatchObject(SHAPES[form]);
    expect(usernames()).toEqual([]);
    expect((await get('/username_hint/?s=bob')).status).toBe(200);
    sandbox.state.setSession('alive', { alive: true });
    expect((await write('add', 'bob')).status).toBe(201);
  });

  it('is what unknown and replaced cookies have, in the default form', async () => {
    const { get, sandbox } = await openSandbox(protocol, { options: { deadSessionForm: 'unauthorized' } });
    expect((await get('/tvcoins/details/', { cookie: 'sessionid=other' })).status).toBe(401);
    sandbox.state.putAccount('alive', { sessionid: 'fresh', scripts: [SCRIPT] });
    expect((await get('/tvcoins/details/')).status).toBe(401);
    expect((await get('/tvcoins/details/', { cookie: 'sessionid=fresh' })).status).toBe(200);
  });
});

describe('signing in', () => {
  const accounts = { author: { sessionid: 's', sessionidSign: 'g', login: { username: 'Author', password: 'right' } } };
  const RIGHT = { username: 'author', password: 'right', remember: 'on' };

  it('gives the cookies and a living session', async () => {
    const { post, sandbox, get } = await openSandbox('HTTP/1.1', { accounts });
    sandbox.state.setSession('author', { alive: false });
    const reply = await post('/accounts/signin/', RIGHT);
    expect(JSON.parse(reply.body).user.username).toBe('Author');
    const cookie = reply.headers['set-cookie']?.map((line) => line.split(';')[0]).join('; ') ?? '';
    expect(cookie).toBe('sessionid=s; sessionid_sign=g');
    expect((await get('/tvcoins/details/', { cookie })).status).toBe(200);
  });

  it('refuses with a 200 and a code, and with cookies that are worth nothing', async () => {
    const { post, sandbox, get } = await openSandbox('HTTP/1.1', { accounts, options: { signinLockAfter: 99 } });
    const refusal = async (fields: Record<string, string>) => {
      const reply = await post('/accounts/signin/', fields);
      return [reply.status, JSON.parse(reply.body).code, reply.headers['set-cookie']?.length ?? 0];
    };
    expect(await refusal({ ...RIGHT, password: 'wrong' })).toEqual([200, 'invalid_credentials', 0]);
    sandbox.state.configure({ signin: 'recaptcha_required' });
    expect(await refusal(RIGHT)).toEqual([200, 'recaptcha_required', 0]);
    sandbox.state.configure({ signin: '2FA_required' });
    expect(await refusal(RIGHT)).toEqual([200, '2FA_required', 1]);
    expect((await get('/tvcoins/details/', { cookie: 'sessionid=pending-author' })).status).toBe(403);
  });

  it('counts attempts and locks after a few', async () => {
    const { post, sandbox } = await openSandbox('HTTP/1.1', { accounts });
    const codes: unknown[] = [];
    for (let i = 0; i < 5; i++) codes.push(JSON.parse((await post('/accounts/signin/', RIGHT)).body).code);
    expect(codes).toEqual([undefined, undefined, undefined, undefined, 'account_locked']);
    expect(sandbox.state.counters().signins).toEqual({ author: 5 });
  });
});
