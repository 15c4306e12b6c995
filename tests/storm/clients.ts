import { randomUUID } from 'node:crypto';
import type { RecordedChange } from '@pinegate/testing';
import type { Answer, ApiClient, CallOptions } from './api-client.ts';
import type { Action, PlannedBatch, PlannedChange, PlannedRow } from './plan.ts';
import { type SentOperation, type StormRecord, tally } from './record.ts';

type Single = Extract<Action, { kind: 'single' }>;

export interface Clients {
  run(action: Action): Promise<void>;
  /** Reads a batch as it is now, for I8. */
  look(): Promise<void>;
}

/** Vendors who send operations until they are answered, and write down what they sent and heard. */
export function createClients(api: ApiClient, record: StormRecord): Clients {
  const { counts } = record;
  const ids: string[] = [];

  async function single(planned: Single): Promise<void> {
    const sent = sentOf(planned);
    const path = accessPath(planned);
    const method = sent.change.kind === 'revoke' ? 'DELETE' : 'PUT';
    const options: CallOptions =
      sent.change.kind === 'revoke' ? { key: randomUUID() } : { key: randomUUID(), body: fieldsOf(sent.change) };
    const answers = await Promise.all(
      Array.from({ length: planned.twice ? 2 : 1 }, () => api.insist(method, path, options)),
    );
    if (planned.twice) tally(counts, 'singles sent twice at once');
    const taken = answers.filter((a) => a?.status === 200 || a?.status === 202);
    const operations = new Set(taken.map((a) => a?.body.operation as string));
    if (operations.size > 1) record.wrongAnswers.push(`one key, two operations: ${[...operations]}`);
    const [id] = operations;
    if (id === undefined) {
      const [first] = answers;
      tally(counts, `singles answered ${first?.body?.code ?? 'never'}`);
      expectKnown(first ?? null, ['too_many_pending', 'expiry_in_past']);
      if (first?.body?.code !== 'too_many_pending') record.doubtful.push(sent);
      return;
    }
    tally(counts, 'singles accepted');
    record.singles.set(id, sent);
  }

  async function batch(planned: PlannedBatch): Promise<void> {
    const rows = planned.rows.map(sentOf);
    const options = { key: randomUUID(), ...bodyOf(planned, rows) };
    if (planned.cutAt !== null) {
      await api.cut('POST', '/v1/batches', options, planned.cutAt);
      tally(counts, 'uploads cut');
    }
    const answers = await Promise.all(
      Array.from({ length: planned.twice ? 2 : 1 }, () => api.insist('POST', '/v1/batches', options)),
    );
    if (planned.twice) tally(counts, 'uploads sent twice at once');
    const known = answers.filter((a) => a?.body?.id !== undefined);
    const [first] = known;
    for (const answer of answers) expectKnown(answer, ['batch_cancelled']);
    if (!first) return void tally(counts, 'batches never answered');
    const id = first.body.id as string;
    record.batches.set(id, rows);
    if (known.some((a) => a?.body.id !== id)) record.wrongAnswers.push(`one key, two batches: ${id} and another`);
    const taken = known.filter((a) => a?.status === 202);
    if (new Set(taken.map((a) => a?.body.accepted)).size > 1) record.wrongAnswers.push(`${id}: two answers`);
    if (taken[0]) record.accepted.set(id, taken[0].body.accepted);
    ids.push(id);
    tally(counts, 'batches accepted');
    tally(counts, 'rows sent', rows.length);
    if (planned.cancelAfterMs === null) return;
    await new Promise((resolve) => setTimeout(resolve, planned.cancelAfterMs ?? 0));
    const cancelled = await api.insist('DELETE', `/v1/batches/${id}`, { key: randomUUID() });
    expectKnown(cancelled, []);
    tally(counts, 'cancels');
  }

  async function write(method: string, path: string, name: string, body?: unknown): Promise<void> {
    const answer = await api.insist(method, path, { key: randomUUID(), ...(body === undefined ? {} : { body }) });
    expectKnown(answer, ['nothing_to_retry', 'unknown_access', 'not_found', 'refresh_running', 'batch_cancelled']);
    tally(counts, answer && answer.status < 300 ? name : `${name} refused`);
  }

  /** A client may be refused for a reason it can understand; anything else is wrong. */
  function expectKnown(answer: Answer | null, codes: readonly string[]): void {
    if (answer === null || answer.status < 300 || codes.includes(answer.body?.code)) return;
    record.wrongAnswers.push(`unexpected answer ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
  }

  return {
    async run(action) {
      switch (action.kind) {
        case 'single':
          return single(action);
        case 'batch':
          return batch(action);
        case 'retry-batch': {
          const id = ids[action.draw % Math.max(1, ids.length)];
          return id === undefined ? undefined : write('POST', `/v1/batches/${id}/retry`, 'batch retries');
        }
        case 'retry-access':
          return write('POST', `${accessPath(action)}/retry`, 'access retries');
        case 'refresh': {
          const path = `/v1/scripts/${encodeURIComponent(action.script)}/refresh`;
          return write('POST', path, `refreshes (${action.mode})`, { mode: action.mode });
        }
      }
    },
    async look() {
      const id = ids[Math.floor(Math.random() * ids.length)];
      if (id === undefined) return;
      const answer = await api.call('GET', `/v1/batches/${id}`);
      if (answer?.status !== 200) return;
      const { total, pending, outcomes } = answer.body;
      record.readings.push({ id, at: Date.now(), total, pending, outcomes });
    },
  };
}

function accessPath({ script, username }: { readonly script: string; readonly username: string }): string {
  return `/v1/scripts/${encodeURIComponent(script)}/access/${encodeURIComponent(username)}`;
}

function sentOf({ script, username, change }: PlannedRow): SentOperation {
  return { script, username: username.toLowerCase(), change: changeAt(change, Date.now()) };
}

function changeAt(change: PlannedChange, now: number): RecordedChange {
  switch (change.kind) {
    case 'date':
      return { kind: 'set', expiresAt: now + change.afterMs };
    case 'life':
      return { kind: 'set', expiresAt: null };
    case 'duration':
      return { kind: 'set-for', duration: change.duration };
    default:
      return change;
  }
}

function fieldsOf(change: RecordedChange): Record<string, string | null> {
  switch (change.kind) {
    case 'set':
      return { expiresAt: change.expiresAt === null ? null : new Date(change.expiresAt).toISOString() };
    case 'set-for':
      return { duration: change.duration };
    case 'extend':
      return { extendBy: change.duration };
    case 'revoke':
      return {};
  }
}

function bodyOf({ form, rows }: PlannedBatch, sent: readonly SentOperation[]): Pick<CallOptions, 'body' | 'raw'> {
  const operations = sent.map(({ script, change }, i) => ({
    action: change.kind === 'revoke' ? 'revoke' : 'grant',
    script,
    username: rows[i]?.username ?? '',
    ...fieldsOf(change),
  }));
  if (form === 'json') return { body: { operations } };
  if (form === 'ndjson') {
    return { raw: { type: 'application/x-ndjson', text: operations.map((o) => `${JSON.stringify(o)}\n`).join('') } };
  }
  const lines = operations.map((o) => {
    const { expiresAt, duration = '', extendBy = '' } = o as Record<string, string | null>;
    const date = expiresAt === undefined ? '' : (expiresAt ?? 'lifetime');
    return `${o.action},${o.script},${o.username},${date},${duration},${extendBy}\n`;
  });
  const text = ['action,script,username,expires_at,duration,extend_by\n', ...lines].join('');
  return { raw: { type: 'text/csv', text } };
}
