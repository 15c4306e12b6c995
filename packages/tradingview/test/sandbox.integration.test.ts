import { createSandbox, DEAD_SESSION_FORMS, type Fault, type Sandbox } from '@pinegate/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTradingView, type TradingView } from '../src/index.ts';

const SCRIPT = `PUB;${'0123456789abcdef'.repeat(2)}`;
const SESSION = { account: 'main', sessionid: 'abc', sessionidSign: 'v1:def' };
const LOGIN = { username: 'Author', password: 'päss;word&=' };
const DATE = Date.UTC(2030, 9, 1);
const ALICE = { script: SCRIPT, username: 'Alice' };
// No call ends by it while this process stands still.
const DEADLINE_MS = 60_000;

describe.each(['url', 'tlsUrl'] as const)('against the sandbox at its %s', (address) => {
  let sandbox: Sandbox;
  let client: TradingView;

  beforeAll(async () => {
    sandbox = await createSandbox({
      accounts: { main: { ...SESSION, scripts: [SCRIPT], login: LOGIN } },
      users: ['Alice', 'AliceTwo', 'Bob'],
    });
    client = createTradingView({ baseUrl: sandbox[address], ca: sandbox.certificate, deadlineMs: DEADLINE_MS });
  });
  beforeEach(() => sandbox.state.reset());
  afterEach(() => void vi.useRealTimers());
  afterAll(async () => {
    await client.destroy();
    await sandbox.close();
  });

  const memberOf = (username: string) => sandbox.state.members(SCRIPT).find((member) => member.username === username);

  it('grants, moves, reads and takes away one access', async () => {
    expect(await client.add(SESSION, { ...ALICE, expiresAt: DATE })).toBe('ok');
    expect(memberOf('Alice')).toEqual({ username: 'Alice', expiration: '2030-10-01T00:00:00.000Z' });
    expect(await client.add(SESSION, { ...ALICE, expiresAt: null })).toBe('exists');
    expect(await client.listUsers(SESSION, { script: SCRIPT, username: 'aLICE' })).toEqual({
      username: 'Alice',
      expiresAt: DATE,
    });
    expect(await client.modify(SESSION, { ...ALICE, expiresAt: DATE + 123 })).toBe('ok');
    expect((await client.listUsers(SESSION, ALICE))?.expiresAt).toBe(DATE + 123);
    expect(await client.modify(SESSION, { ...ALICE, expiresAt: null })).toBe('ok');
    expect((await client.listUsers(SESSION, ALICE))?.expiresAt).toBeNull();
    expect(await client.remove(SESSION, ALICE)).toBe('ok');
    expect(await client.remove(SESSION, ALICE)).toBe('not_exists');
    expect(await client.listUsers(SESSION, ALICE)).toBeNull();
  });

  it('takes the row that equals the name, not the first one', async () => {
    expect(await client.hint('aLiCe')).toBe('Alice');
    expect(await client.hint('ghost-user')).toBeNull();
  });

  it('tells an unknown user, a wrong spelling and a foreign script apart from each other as far as they can be', async () => {
    const notFound = { code: 'USER_NOT_FOUND', status: 422, upstreamCode: 'username_recip_not_found' };
    await expect(client.add(SESSION, { ...ALICE, username: 'ghost', expiresAt: null })).rejects.toMatchObject(notFound);
    await expect(client.add(SESSION, { ...ALICE, username: 'alice', expiresAt: null })).rejects.toMatchObject(notFound);
    await expect(client.modify(SESSION, { ...ALICE, expiresAt: null })).rejects.toMatchObject(notFound);
    sandbox.state.configure({ removeAbsent: '422' });
    await expect(client.remove(SESSION, ALICE)).rejects.toMatchObject(notFound);
    const foreign = { script: `PUB;${'f'.repeat(32)}`, username: 'Alice', expiresAt: null };
    await expect(client.add(SESSION, foreign)).rejects.toMatchObject({ code: 'SCRIPT_REFUSED' });
    await expect(client.listUsersPage(SESSION, foreign)).rejects.toMatchObject({ code: 'SCRIPT_REFUSED' });
  });

  it('says ok where the server ignores a change', async () => {
    sandbox.state.configure({ modifyNonMember: 'ok' });
    expect(await client.modify(SESSION, { ...ALICE, expiresAt: null })).toBe('ok');
    expect(sandbox.state.members(SCRIPT)).toEqual([]);
  });

  it('reads a list of many pages whole, in any order, 30 members a page', async () => {
    const names = Array.from({ length: 95 }, (_, i) => `member${i}`);
    sandbox.state.seedMembers(
      SCRIPT,
      names.map((username, i) => ({ username, expiration: i % 2 === 0 ? null : '2031-01-01T00:00:00Z' })),
    );
    for (const orderBy of ['user__username', '-created', 'expiration,user__username'] as const) {
      const sizes: number[] = [];
      const onPage = ({ members }: { members: readonly unknown[] }) => void sizes.push(members.length);
      const list = await client.listAllUsers(SESSION, { script: SCRIPT, orderBy, onPage });
      expect(list.complete).toBe(true);
      expect(new Set(list.members.map((member) => member.username))).toEqual(new Set(names));
      expect(sizes).toEqual([30, 30, 30, 5]);
    }
  });

  it.each(['prefix', 'substring'] as const)('finds one user behind two pages of similar names (%s)', async (filter) => {
    sandbox.state.configure({ usernameFilter: filter });
    const others = Array.from({ length: 65 }, (_, i) => `bob-${i}`);
    sandbox.state.seedMembers(
      SCRIPT,
      [...others, 'xbob', 'Bob'].map((username) => ({ username, expiration: null })),
    );
    expect((await client.listUsers(SESSION, { script: SCRIPT, username: 'bob' }))?.username).toBe('Bob');
    expect(await client.listUsers(SESSION, { script: SCRIPT, username: 'bo' })).toBeNull();
  });

  it('goes on with a list where a page failed', async () => {
    sandbox.state.seedMembers(
      SCRIPT,
      Array.from({ length: 40 }, (_, i) => ({ username: `member${i}`, expiration: null })),
    );
    let from: string | null = null;
    const failing = client.listAllUsers(SESSION, {
      script: SCRIPT,
      onPage(page) {
        from = page.next;
        sandbox.state.planFault({ fault: 'refuse', endpoint: 'list_users' });
      },
    });
    await expect(failing).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    const rest = await client.listAllUsers(SESSION, { script: SCRIPT, from: from ?? '' });
    expect(rest).toMatchObject({ complete: true });
    expect(rest.members).toHaveLength(10);
  });

  it('a page larger than the server allows is a bad request', async () => {
    await expect(client.listUsersPage(SESSION, { script: SCRIPT, limit: 31 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      upstreamCode: 'bad_pagination_request',
    });
  });

  it('lists the scripts', async () => {
    expect(await client.listScripts(SESSION)).toEqual([SCRIPT]);
  });

  it('sends the sign cookie on every call: without it each of them is refused', async () => {
    const unsigned = { sessionid: SESSION.sessionid };
    const refused = { code: 'SESSION_EXPIRED', form: 'login_required' };
    await expect(client.add(unsigned, { ...ALICE, expiresAt: null })).rejects.toMatchObject(refused);
    await expect(client.remove(unsigned, ALICE)).rejects.toMatchObject(refused);
    expect(await client.details(unsigned)).toEqual({ alive: false, form: 'login_required' });
    expect(await client.details(SESSION)).toEqual({ alive: true });
  });

  it.each(DEAD_SESSION_FORMS)(
    'a session that died as %s is dead to details; a write says what it saw',
    async (form) => {
      sandbox.state.setSession('main', { alive: false, form });
      const seen = form === 'detail' ? 'login_required' : form;
      expect(await client.details(SESSION)).toEqual({ alive: false, form: seen === 'html' ? 'page' : seen });
      const expected =
        seen === 'html'
          ? { code: 'UNCERTAIN', reason: 'html', suspectSession: true }
          : { code: 'SESSION_EXPIRED', form: seen };
      await expect(client.add(SESSION, { ...ALICE, expiresAt: null })).rejects.toMatchObject(expected);
      expect(sandbox.state.members(SCRIPT)).toEqual([]);
    },
  );

  it('signs in, and takes neither a captcha nor a second factor nor a wrong password for a login', async () => {
    const signIn = () => client.signIn(LOGIN.username, LOGIN.password);
    expect(await signIn()).toEqual({ status: 'signed_in', sessionid: 'abc', sessionidSign: 'v1:def' });
    sandbox.state.configure({ signin: 'recaptcha_required' });
    expect(await signIn()).toEqual({ status: 'captcha_required' });
    sandbox.state.configure({ signin: '2FA_required' });
    expect(await signIn()).toEqual({ status: 'two_factor_required' });
    expect(await client.signIn(LOGIN.username, 'wrong')).toEqual({ status: 'refused' });
    expect(sandbox.state.counters().signins).toEqual({ author: 4 });
  });

  it('a rate limit says when to come back, where the server says so', async () => {
    sandbox.state.configure({ limit: { concurrency: 1, bucket: { rate: 0.001, burst: 1 } }, retryAfter: 9 });
    expect(await client.add(SESSION, { ...ALICE, expiresAt: null })).toBe('ok');
    await expect(client.remove(SESSION, ALICE)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 9000 });
    sandbox.state.configure({ retryAfter: 'none' });
    await expect(client.remove(SESSION, ALICE)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: null });
  });

  type Row = [fault: Fault, reason: string, applied: boolean];
  it.each<Row>([
    ['serverError', 'server_error', false],
    ['serverErrorAfter', 'server_error', true],
    ['resetBefore', 'reset', false],
    ['resetAfter', 'reset', true],
    ['cutLength', 'cut', true],
    ['cutClose', 'cut', true],
    ['challenge', 'challenge', false],
    ['wrongType', 'content_type', true],
  ])('a write that met %s is uncertain, and a read unavailable', async (fault, reason, applied) => {
    sandbox.state.planFault({ fault, count: 2 });
    const write = client.add(SESSION, { ...ALICE, expiresAt: null });
    await expect(write).rejects.toMatchObject({ code: 'UNCERTAIN', reason, sent: true });
    expect(sandbox.state.writes().entries).toHaveLength(applied ? 1 : 0);
    expect(memberOf('Alice') !== undefined).toBe(applied);
    await expect(client.listUsers(SESSION, ALICE)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason, sent: true });
    expect(sandbox.state.counters().requests).toBe(2);
  });

  it.each<Fault>(['hang', 'hangAfter', 'drip', 'lateWrite'])('a write that met %s is uncertain', async (fault) => {
    sandbox.state.configure({ lateWriteMs: 'held' });
    sandbox.state.planFault({ fault });
    const met = sandbox.state.waitFor((event) => event.kind === 'fault');
    const gone = sandbox.state.waitFor((event) => event.kind === 'gone');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const write = client.add(SESSION, { ...ALICE, expiresAt: null });
    const outcome = expect(write).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'timeout', sent: true });
    await met;
    vi.advanceTimersByTime(DEADLINE_MS);
    await outcome;
    await gone;
    expect(sandbox.state.releaseLateWrites()).toBe(fault === 'lateWrite' ? 1 : 0);
    expect(memberOf('Alice') !== undefined).toBe(fault !== 'hang');
  });
});
