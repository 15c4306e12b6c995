import type { Random } from '../../examples/seeded-random.ts';
import type { LoadStack } from './open-load-stack.ts';
import type { LoadSettings } from './parse-load.ts';

export const KINDS = ['single', 'batch', 'read', 'dashboard'] as const;
export type Kind = (typeof KINDS)[number];

/** Sends one request of a kind; answers what was wrong with its answer, or null. Rejects when there was none. */
export type Requests = Readonly<Record<Kind, () => Promise<string | null>>>;

const DAY_MS = 86_400_000;
const FIRST_DATE = Date.UTC(2031, 0, 1);
const RECENT = 200;

/** Requests as many users would send them: who, what and when is drawn. */
export async function buildRequests(
  { stack, dashboard, scripts }: LoadStack,
  settings: LoadSettings,
  { below, pick }: Random,
): Promise<Requests> {
  const operations: string[] = [];
  const batches: string[] = [];
  let sent = 0;
  const user = () => `user_${below(settings.users)}`;
  const date = () => new Date(FIRST_DATE + below(1_000) * DAY_MS).toISOString();
  const script = () => encodeURIComponent(pick(scripts));
  const remember = (list: string[], id: string) => {
    list.push(id);
    if (list.length > RECENT) list.shift();
  };

  function change(): { readonly method: string; readonly body?: object } {
    const kind = below(10);
    if (kind < 2) return { method: 'DELETE' };
    if (kind < 4) return { method: 'PUT', body: { extendBy: '1M' } };
    return { method: 'PUT', body: { expiresAt: kind < 5 ? null : date() } };
  }

  const readings = [
    () => `/v1/scripts/${script()}/access/${user()}`,
    () => `/v1/scripts/${script()}/access?limit=100`,
    () => `/v1/users/${user()}/access`,
    () => (operations.length === 0 ? '/v1/keys' : `/v1/operations/${pick(operations)}`),
    () => (batches.length === 0 ? '/v1/batches' : `/v1/batches/${pick(batches)}`),
    () => '/v1/accounts',
  ];
  const cookie = await logIn(dashboard.url, stack.adminKey);
  const pages = ['/', '/queues/', '/queues/api/queues'];

  return {
    async single() {
      const { method, ...more } = change();
      const headers = { 'idempotency-key': `load-${sent++}` };
      const path = `/v1/scripts/${script()}/access/${user()}`;
      const { status, body } = await stack.call(method, path, { headers, ...more });
      if (status === 202) remember(operations, body.operation);
      return status === 202 ? null : `${status} ${body.code}`;
    },
    async batch() {
      const rows = Array.from({ length: settings.batchRows }, () => {
        const revoke = below(5) === 0;
        return `${revoke ? 'revoke' : 'grant'},${pick(scripts)},${user()},${revoke ? '' : date()}\n`;
      });
      const raw = `action,script,username,expires_at\n${rows.join('')}`;
      const headers = { 'content-type': 'text/csv', 'idempotency-key': `load-${sent++}` };
      const { status, body } = await stack.call('POST', '/v1/batches', { headers, raw });
      if (status === 202) remember(batches, body.id);
      return status === 202 && body.rejected === 0 ? null : `${status} ${body.code ?? `${body.rejected} rejected`}`;
    },
    async read() {
      const { status, body } = await stack.call('GET', pick(readings)());
      // What retention has taken is not found.
      return status === 200 || status === 404 ? null : `${status} ${body.code}`;
    },
    async dashboard() {
      const answer = await fetch(dashboard.url + pick(pages), { headers: { cookie }, redirect: 'manual' });
      await answer.arrayBuffer();
      return answer.status === 200 ? null : String(answer.status);
    },
  };
}

async function logIn(url: string, key: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0];
  if (!cookie) throw new Error(`the dashboard let nobody in (${answer.status})`);
  return cookie;
}
