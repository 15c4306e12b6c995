import { type RecordedMember, type RecordedWrite, waitFor } from '@pinegate/testing';

// Longer than any client here prefers to wait.
const ANSWER_MS = 90_000;
const DRAIN_MS = 240_000;
const LOG_PAGE = 10_000;

/** An HTTP answer with its body as JSON where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies as a client would, field by field.
  readonly body: any;
}

export interface CallOptions {
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
}

/** Speaks to the api and to the sandbox as their users do. */
export interface StackClient {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** The body of a GET, which is sent again while the api has no answer (503): on a busy machine Redis may take too long for one. */
  read(path: string): Promise<Answer['body']>;
  sandbox(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Polls the batch until nothing is pending, and returns it; `everyMs`: pause between looks, 50 if not given. */
  drained(batch: string, everyMs?: number): Promise<Answer['body']>;
  /** Members of a script as the sandbox holds them: name → ISO date or null. */
  members(script: string): Promise<Map<string, string | null>>;
  /** The next requests that fit meet the fault, whatever the rates say. */
  planFault(fault: string, which?: { endpoint?: string; username?: string; count?: number }): Promise<void>;
  /** The sandbox's own log of writes, all of it. Throws when entries were dropped. */
  writes(): Promise<RecordedWrite[]>;
  /** Resolves to the first write that fits, past or to come. */
  write(fits: (write: RecordedWrite) => boolean, what: string): Promise<RecordedWrite>;
  /** Resolves once so many requests have met this fault. */
  metFault(fault: string, count?: number): Promise<void>;
}

/** A client of the api and of the sandbox's control API at these addresses. */
export function createStackClient(at: { apiUrl: string; sandboxUrl: string; adminKey: string }): StackClient {
  const client: StackClient = {
    call(method, path, { key = at.adminKey, headers = {}, body, raw } = {}) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const auth = key === null ? {} : { authorization: `Bearer ${key}` };
      const payload = raw ?? (body === undefined ? null : JSON.stringify(body));
      return request(at.apiUrl + path, { method, headers: { ...json, ...auth, ...headers }, body: payload });
    },
    async read(path) {
      const answered = async () => {
        const answer = await client.call('GET', path);
        if (answer.status === 503) throw new Error(`${path}: 503 ${answer.body.code}`);
        return answer;
      };
      return (await waitFor(answered, { what: `an answer to GET ${path}` })).body;
    },
    sandbox(method, path, body) {
      const payload = body === undefined ? null : JSON.stringify(body);
      return request(at.sandboxUrl + path, { method, headers: { 'content-type': 'application/json' }, body: payload });
    },
    drained(batch, everyMs) {
      return waitFor(
        async () => {
          const { body } = await client.call('GET', `/v1/batches/${batch}`);
          return body.pending === 0 && body.state !== 'receiving' ? body : undefined;
        },
        { what: `batch ${batch} to drain`, withinMs: DRAIN_MS, ...(everyMs === undefined ? {} : { everyMs }) },
      );
    },
    async members(script) {
      const { body } = await client.sandbox('GET', `/__sandbox/members?pine_id=${encodeURIComponent(script)}`);
      const members = body.members as Omit<RecordedMember, 'script'>[];
      return new Map(members.map((m) => [m.username, m.expiration]));
    },
    async planFault(fault, which = {}) {
      const { status, body } = await client.sandbox('POST', '/__sandbox/faults', { fault, ...which });
      if (status !== 200) throw new Error(`the sandbox refused the fault: ${body.detail}`);
    },
    async writes() {
      const all: RecordedWrite[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const { body }: Answer = await client.sandbox('GET', `/__sandbox/writes?limit=${LOG_PAGE}&after=${after}`);
        if (body.dropped > 0) throw new Error(`the sandbox's log has lost ${body.dropped} entries`);
        all.push(...body.entries);
        after = body.next;
      }
      return all;
    },
    write(fits, what) {
      return waitFor(async () => (await client.writes()).find(fits), { what });
    },
    async metFault(fault, count = 1) {
      const met = async () => {
        const { body } = await client.sandbox('GET', '/__sandbox/counters');
        return (body.faults[fault] ?? 0) >= count;
      };
      await waitFor(met, { what: `${count} × ${fault}`, everyMs: 20, withinMs: 120_000 });
    },
  };
  return client;
}

async function request(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
