import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

// OWASP API Security Top 10, 2023: https://owasp.org/API-Security/editions/2023/en/0x11-t10/. API10 (unsafe consumption of APIs) is tested
// where TradingView is called: packages/tradingview/test/broken-answers.integration.test.ts.

const COOKIE = 'canary-cookie-0123456789';
const MAX_JSON_BYTES = 8 * 1_024 * 1_024;

let api: ApiHarness;
let reader: string;
let writer: string;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
  reader = await makeKey('read');
  writer = await makeKey('write');
});
afterAll(() => api.close());

async function makeKey(...scopes: string[]): Promise<string> {
  return (await api.call('POST', '/v1/keys', { body: { name: 'owasp', scopes } })).body.key;
}

/** Every route that is registered, with something in the place of each parameter. */
async function routes(): Promise<{ method: string; url: string; scope: string | null }[]> {
  const { body } = await api.call('GET', '/openapi.json', { key: null });
  const paths = Object.entries(body.paths as Record<string, Record<string, { description?: string }>>);
  return paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description = '' }]) => ({
      method: method.toUpperCase(),
      url: path.replace(/\{(\w+)\}/g, 'x'),
      scope: /Needs the scope `(\w+)`/.exec(description)?.[1] ?? null,
    })),
  );
}

/** Every route that the router has, documented or not: its tree, read line by line. */
function registered(): string[] {
  const above: string[] = [];
  return api.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const match = /^(.*?)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line);
      if (match?.[2] === undefined) return [];
      const depth = (match[1] ?? '').length / 4;
      const path = (above[depth - 1] ?? '') + match[2];
      above[depth] = path;
      const methods = match[3]?.split(', ') ?? [];
      return methods.map((method) => `${method} ${path.replace(/:\w+/g, 'x')}`);
    });
}

describe('API1 broken object level authorization', () => {
  test('what one key got under an Idempotency-Key is not answered to another', async () => {
    const headers = { 'idempotency-key': 'same-text' };
    const body = { duration: '1D' };
    const first = await api.call('PUT', `${ACCESS}/alice`, { key: writer, body, headers });
    const other = await api.call('PUT', `${ACCESS}/alice`, { key: await makeKey('write'), body, headers });
    expect(other.headers['idempotency-replayed']).toBeUndefined();
    expect(other.body.operation).not.toBe(first.body.operation);
  });

  test('ids of operations cannot be counted up', async () => {
    const put = async () => (await api.call('PUT', `${ACCESS}/bob`, { body: { duration: '1D' } })).body.operation;
    const [one, two] = [await put(), await put()];
    expect(one).toMatch(/^one\.[A-Za-z0-9_-]{22}$/);
    expect(one.slice(0, 12)).not.toBe(two.slice(0, 12));
  });
});

describe('API2 broken authentication', () => {
  test('no route of the API answers without a key, or with a wrong one', async () => {
    const guarded = (await routes()).filter(({ url }) => url.startsWith('/v1/'));
    expect(guarded.length).toBeGreaterThan(25);
    // One request each: more failures from one address would be told to wait.
    for (const [at, { method, url }] of guarded.slice(0, 28).entries()) {
      const key = at % 2 === 0 ? null : 'pg_000000000000_wrong';
      const { status } = await api.call(method as 'GET', url, { key });
      expect([method, url, status]).toEqual([method, url, 401]);
    }
  });

  test('a key is not taken from the address of a request', async () => {
    expect((await api.call('GET', `/v1/scripts?key=${reader}`, { key: null })).status).not.toBe(200);
  });
});

describe('API3 broken object property level authorization', () => {
  test('a field that is not documented is refused, also one that an account has', async () => {
    for (const field of ['state', 'session', 'id', 'constructor']) {
      const put = await api.call('PUT', '/v1/accounts/one', { body: { scripts: [SCRIPT], [field]: 'x' } });
      expect([field, put.status, put.body.code]).toEqual([field, 400, 'unknown_field']);
    }
  });

  test('no answer has a cookie, a hash or the secret of a key', async () => {
    api.tasks.checkSession = async () => {
      const session = await api.directory.sessions.get('one');
      await api.directory.accounts.setSession('one', 'ok', session?.postedAt ?? 0);
    };
    await api.call('PUT', '/v1/accounts/one/session', { body: { sessionid: COOKIE } });
    for (const url of ['/v1/accounts', '/v1/accounts/one', '/v1/keys', '/v1/audit', '/metrics']) {
      const text = JSON.stringify((await api.call('GET', url)).body);
      expect(text).not.toMatch(new RegExp(`${COOKIE}|"hash"|${reader.slice(-43)}|${writer.slice(-43)}`));
    }
  });
});

describe('API4 unrestricted resource consumption', () => {
  test.each([
    ['a JSON body over 8 MiB', 'PUT', `${ACCESS}/x`, 413, { body: { duration: 'x'.repeat(MAX_JSON_BYTES) } }],
    ['a page of more than 1,000', 'GET', '/v1/batches?limit=1001', 400, {}],
    [
      'more than 1,000 names to look up',
      'POST',
      '/v1/usernames/validate',
      400,
      { body: { usernames: Array(1_001).fill('x') } },
    ],
    [
      'a compressed body, whose size nobody knows',
      'POST',
      '/v1/batches',
      415,
      { body: {}, headers: { 'content-encoding': 'gzip' } },
    ],
  ] as const)('%s is refused', async (_what, method, url, status, options) => {
    expect((await api.call(method, url, options)).status).toBe(status);
  });

  test('a key that asks too often is told to wait', async () => {
    const { body } = await api.call('POST', '/v1/keys', { body: { name: 'x', scopes: ['read'], ratePerSecond: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.call('GET', '/v1/scripts', { key: body.key })),
    );
    expect(answers.map(({ status }) => status)).toContain(429);
  });
});

describe('API5 broken function level authorization', () => {
  test('every route needs its scope, and no scope includes another', async () => {
    const keys = { read: reader, write: writer, admin: await makeKey('admin') };
    for (const { method, url, scope } of await routes()) {
      if (scope === null) continue;
      for (const [held, key] of Object.entries(keys)) {
        if (held === scope) continue;
        const { status } = await api.call(method as 'GET', url, { key });
        expect([method, url, held, status]).toEqual([method, url, held, 403]);
      }
    }
  });

  test('a method that a route does not have is not answered by another', async () => {
    for (const method of ['PATCH', 'POST'] as const) {
      expect((await api.call(method as 'POST', '/v1/accounts/one')).status).toBe(404);
    }
    const headers = { 'x-http-method-override': 'DELETE' };
    await api.call('GET', '/v1/accounts/two', { headers });
    expect((await api.call('GET', '/v1/accounts/two')).status).toBe(200);
  });
});

describe('API6 unrestricted access to sensitive business flows', () => {
  test('a payment cannot extend twice: an extension needs an Idempotency-Key and counts once', async () => {
    const body = { extendBy: '1M' };
    expect((await api.call('PUT', `${ACCESS}/payer`, { body })).body.code).toBe('idempotency_key_required');
    const headers = { 'idempotency-key': 'payment-7' };
    const first = await api.call('PUT', `${ACCESS}/payer`, { body, headers });
    const again = await api.call('PUT', `${ACCESS}/payer`, { body, headers });
    expect([again.headers['idempotency-replayed'], again.body.version]).toEqual(['true', first.body.version]);
  });
});

describe('API7 server side request forgery', () => {
  test('no request says where TradingView is', async () => {
    for (const field of ['baseUrl', 'url', 'upstream', 'webhook']) {
      const put = await api.call('PUT', '/v1/accounts/one', {
        body: { scripts: [SCRIPT], [field]: 'http://169.254.169.254/' },
      });
      expect([field, put.status]).toEqual([field, 400]);
    }
  });

  test('an address in the place of a username is a name or nothing, and is never asked', async () => {
    const url = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${encodeURIComponent('http://169.254.169.254/latest')}`;
    expect((await api.call('PUT', url, { body: { duration: '1D' } })).status).toBe(400);
  });
});

describe('API8 security misconfiguration', () => {
  test('answers tell a browser to run, frame, guess and keep nothing, and no other site to read them', async () => {
    const { headers } = await api.call('GET', '/v1/scripts', { headers: { origin: 'https://evil.example' } });
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': expect.any(String),
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=15552000',
      'cache-control': 'no-store',
    });
    for (const name of ['access-control-allow-origin', 'x-powered-by', 'server']) expect(headers[name]).toBeUndefined();
  });

  test('the documentation runs its own scripts only', async () => {
    const page = await api.call('GET', '/docs/', { key: null });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self'( 'sha256-[A-Za-z0-9+/]+=*')+;/);
    expect(/script-src[^;]*/.exec(policy)?.[0]).not.toContain('unsafe');
    expect(page.body).toContain('<script');
  });

  test('a fault says nothing of what is inside', async () => {
    const broken = { toString: () => 'x' };
    api.directory.scripts.all = () => Promise.reject(new TypeError(`secret detail ${String(broken)}`));
    const answer = await api.call('GET', '/v1/scripts');
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(answer.body)).not.toMatch(/secret detail|\.ts|node_modules|TypeError/);
  });
});

describe('API9 improper inventory management', () => {
  test('every route that answers is documented, and says what it needs', async () => {
    const documented = new Set((await routes()).map(({ method, url }) => `${method} ${url}`));
    const hidden = registered().filter((route) => /^(GET|PUT|POST|DELETE|PATCH) \/v1\//.test(route));
    expect(hidden.length).toBeGreaterThan(25);
    for (const route of hidden) expect(documented).toContain(route);
    for (const { url, scope } of await routes())
      if (url.startsWith('/v1/')) expect([url, scope]).not.toEqual([url, null]);
  });
});
