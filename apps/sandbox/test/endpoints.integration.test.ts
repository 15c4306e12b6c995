import { describe, expect, it } from 'vitest';
import { FOREIGN_SCRIPT, HEADERS, SCRIPT } from './clients.ts';
import { openSandbox, PROTOCOLS } from './open-sandbox.ts';

const DATE = '2099-10-01T00:00:00.000Z';

describe.each(PROTOCOLS)('over %s', (protocol) => {
  it('a grant is added once and exists from then on, its date unchanged', async () => {
    const { write, list } = await openSandbox(protocol);
    expect(await write('add', 'bob', DATE)).toMatchObject({ status: 201, body: '{"status":"ok"}' });
    expect(await write('add', 'bob')).toMatchObject({ status: 200, body: '{"status":"exists"}' });
    const page = JSON.parse((await list()).body);
    expect(page).toMatchObject({ next: null, prev: null });
    expect(page.results).toEqual([
      {
        id: expect.any(Number),
        username: 'bob',
        userpic: null,
        expiration: '2099-10-01T00:00:00+00:00',
        created: expect.stringMatching(/\+00:00$/),
      },
    ]);
  });

  it('a date is modified and an access removed', async () => {
    const { write, sandbox } = await openSandbox(protocol);
    await write('add', 'bob');
    expect(await write('modify', 'bob', DATE)).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(sandbox.state.members(SCRIPT)).toEqual([{ username: 'bob', expiration: DATE }]);
    expect(await write('remove', 'bob')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(sandbox.state.members(SCRIPT)).toEqual([]);
  });

  it('the other reads answer as documented', async () => {
    const { get } = await openSandbox(protocol);
    expect(await get('/tvcoins/details/')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse((await get('/pine_perm/list_scripts/')).body)).toEqual([SCRIPT]);
    const hint = JSON.parse((await get('/username_hint/?s=Bob', { cookie: '' })).body);
    expect(hint.map((row: { username: string }) => row.username)).toEqual(['bob0', 'bob']);
    expect(hint[1]).toMatchObject({ id: expect.any(Number), inactive: false });
    expect((await get('/username_hint/?s=ghost')).body).toBe('[]');
  });

  it('a multipart body is accepted', async () => {
    const { send, usernames } = await openSandbox(protocol);
    const field = (name: string, value: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = `${field('pine_id', SCRIPT)}${field('username_recip', 'bob')}--x--\r\n`;
    const reply = await send('/pine_perm/add/', 'multipart/form-data; boundary=x', body);
    expect(reply.status).toBe(201);
    expect(usernames()).toEqual(['bob']);
  });

  it('pages are followed to the end by the path in next, while members change', async () => {
    const { list, post, sandbox, write } = await openSandbox(protocol);
    const members = Array.from({ length: 65 }, (_, i) => ({ username: `user${i}`, expiration: null }));
    sandbox.state.seedMembers(SCRIPT, members);
    const seen: string[] = [];
    let next: string | null = '/pine_perm/list_users/?limit=30&order_by=user__username';
    while (next) {
      const page: { results: { username: string }[]; next: string | null } = JSON.parse(
        (await post(next, { pine_id: SCRIPT })).body,
      );
      seen.push(...page.results.map((row) => row.username));
      next = page.next;
      await write('remove', seen.at(-1) ?? '');
    }
    expect(new Set(seen).size).toBe(65);
    expect(JSON.parse((await list()).body).results).toHaveLength(20);
  });
});

describe('list_users', () => {
  it.each(['31', '0', '-1', 'x', '1.5'])('refuses limit=%s', async (limit) => {
    const { list } = await openSandbox();
    const reply = await list(`?limit=${limit}`);
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([400, 'bad_pagination_request']);
  });

  it('refuses an unknown order, a made-up cursor and a foreign script', async () => {
    const { list } = await openSandbox();
    expect((await list('?order_by=id')).status).toBe(400);
    expect((await list('?c=abc')).status).toBe(404);
    const foreign = await list('', { pine_id: FOREIGN_SCRIPT });
    expect([foreign.status, Object.keys(JSON.parse(foreign.body))]).toEqual([422, ['pine_id']]);
  });

  it('is ordered by creation, newest first, unless asked otherwise', async () => {
    const { list, write } = await openSandbox();
    for (const name of ['b', 'a', 'c']) await write('add', name);
    const names = async (query: string) =>
      JSON.parse((await list(query)).body).results.map((row: { username: string }) => row.username);
    expect(await names('')).toEqual(['c', 'a', 'b']);
    expect(await names('?order_by=user__username')).toEqual(['a', 'b', 'c']);
  });
});

describe('a write', () => {
  it.each(['add', 'modify', 'remove'] as const)(
    '%s of a bad or foreign script answers 422 with pine_id',
    async (op) => {
      const { write, post, sandbox } = await openSandbox();
      for (const pineId of [FOREIGN_SCRIPT, 'PUB;1', '']) {
        const path = { add: 'add', modify: 'modify_user_expiration', remove: 'remove' }[op];
        const reply = await post(`/pine_perm/${path}/`, { pine_id: pineId, username_recip: 'bob' });
        expect([reply.status, Object.keys(JSON.parse(reply.body))]).toEqual([422, ['pine_id']]);
      }
      expect((await write('add', 'bob')).status).toBe(201);
      expect(sandbox.state.writes().entries.map((entry) => entry.result)).toEqual([
        'bad_script',
        'bad_script',
        'bad_script',
        'ok',
      ]);
    },
  );

  it('has one and the same body for no such user, a wrong spelling, and a modify on a non-member', async () => {
    const { write, sandbox } = await openSandbox();
    sandbox.state.registerUsers(['AliceTrades']);
    const bodies = [
      await write('add', 'ghost1'),
      await write('add', 'alicetrades'),
      await write('add', 'Bob'),
      await write('modify', 'bob', DATE),
      await write('modify', 'ALICETRADES'),
      await write('remove', 'ghost1'),
    ];
    for (const [i, name] of ['ghost1', 'alicetrades', 'Bob', 'bob', 'ALICETRADES', 'ghost1'].entries()) {
      expect(bodies[i]).toMatchObject({
        status: 422,
        body: `{"code":"username_recip_not_found","detail":"User not found: ${name}"}`,
      });
    }
    expect((await write('add', 'AliceTrades')).status).toBe(201);
  });

  it('refuses a date that is none, an empty one and a missing user', async () => {
    const { write, usernames } = await openSandbox();
    for (const date of ['soon', '', '2026', '2026-13-01T00:00:00Z'])
      expect((await write('add', 'bob', date)).status).toBe(422);
    expect(Object.keys(JSON.parse((await write('add', '')).body))).toEqual(['username_recip']);
    expect(usernames()).toEqual([]);
  });

  it('stores what was sent, past dates and milliseconds too', async () => {
    const { write, list } = await openSandbox();
    await write('add', 'bob', '2001-01-01T00:00:00.250Z');
    expect(JSON.parse((await list()).body).results[0].expiration).toBe('2001-01-01T00:00:00.250000+00:00');
  });
});

describe('headers', () => {
  it.each(['origin', 'referer', 'x-requested-with'])(
    'without %s: 403 that does not look like a dead session',
    async (name) => {
      const { write, usernames } = await openSandbox();
      const reply = await write('add', 'bob', undefined, { headers: { ...HEADERS, [name]: 'x' } });
      expect(reply.status).toBe(403);
      expect(reply.body).toMatch(/CSRF/);
      expect(reply.body).not.toMatch(/authenticat|login/i);
      expect(usernames()).toEqual([]);
    },
  );

  it('are not looked at with strictHeaders off', async () => {
    const { write } = await openSandbox('HTTP/1.1', { options: { strictHeaders: false } });
    expect((await write('add', 'bob', undefined, { headers: { origin: 'x', referer: 'x' } })).status).toBe(201);
  });

  it('need the sign cookie on every call where the account has one', async () => {
    const accounts = { signed: { sessionid: 's', sessionidSign: 'v2:abc=', scripts: [] } };
    const { get } = await openSandbox('HTTP/1.1', { accounts });
    expect((await get('/tvcoins/details/', { cookie: 'sessionid=s' })).status).toBe(403);
    expect((await get('/tvcoins/details/', { cookie: 'sessionid=s; sessionid_sign=v2:other=' })).status).toBe(403);
    expect((await get('/tvcoins/details/', { cookie: 'sessionid_sign=v2:abc=; sessionid=s' })).status).toBe(200);
  });
});

it('answers 404 and 405 to what is not there, and 415 to a body that is no form', async () => {
  const { get, post, write } = await openSandbox();
  expect((await get('/chart/')).status).toBe(404);
  expect((await get('/pine_perm/add/')).status).toBe(405);
  expect((await post('/tvcoins/details/', {})).status).toBe(405);
  expect((await write('add', 'bob', undefined, { headers: { 'content-type': 'application/json' } })).status).toBe(415);
});
