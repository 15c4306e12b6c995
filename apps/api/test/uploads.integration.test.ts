import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addDuration } from '@pinegate/access';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ADMIN_KEY, type ApiHarness, type Called, OTHER_SCRIPT, openApiHarness, SCRIPT } from './api-harness.ts';

describe.each([
  ['read where all else is done', {}],
  ['read by a thread', { uploadThreads: 1 }],
] as const)('an upload, %s', (_how, options) => {
  let api: ApiHarness;
  let port: number;

  beforeAll(async () => {
    api = await openApiHarness(inject('redisUrl'), options);
    await api.addAccounts();
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    port = (api.app.server.address() as AddressInfo).port;
  });
  afterAll(() => api.close());

  function open(key: string | null, type = 'text/csv') {
    return request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/batches',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'content-type': type,
        'transfer-encoding': 'chunked',
        ...(key === null ? {} : { 'idempotency-key': key }),
      },
    });
  }

  async function answerTo(sent: ReturnType<typeof request>): Promise<Called> {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const piece of response) text += piece;
    return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) };
  }

  async function upload(text: string, key: string | null, type?: string): Promise<Called> {
    const sent = open(key, type);
    sent.end(text);
    return answerTo(sent);
  }

  /** Sends the beginning of a body, waits until so many rows are in the ledger, and drops the connection. */
  async function cutUpload(text: string, key: string, rows: number): Promise<string> {
    const before = await newest();
    const sent = open(key);
    sent.on('error', () => {});
    sent.write(text);
    const id = await expect
      .poll(async () => {
        const batch = await newest();
        return batch !== null && batch.id !== before?.id && batch.total >= rows ? batch.id : null;
      })
      .not.toBeNull()
      .then(async () => (await newest())?.id ?? '');
    sent.destroy();
    await expect.poll(async () => (await api.call('GET', `/v1/batches/${id}`)).body.state).toBe('interrupted');
    return id;
  }

  async function newest(): Promise<{ id: string; total: number } | null> {
    const { body } = await api.call('GET', '/v1/batches?limit=1');
    return body.items[0] ?? null;
  }

  /** How many requests have begun under a key that was new. */
  async function fresh(): Promise<number> {
    const text = String((await api.call('GET', '/metrics')).body);
    return Number(/^pinegate_idempotent_requests_total\{verdict="fresh".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  const HEADER = 'action,script,username,extend_by\n';

  test('an upload that is cut in the middle resumes under its key, and every extension counts once', async () => {
    const rows = Array.from({ length: 5_500 }, (_, i) => {
      const script = i % 3 === 0 ? OTHER_SCRIPT : SCRIPT;
      return i % 100 === 50 ? 'grant,nonsense,x,1M' : `grant,${script},cut-${i % 500},1D`;
    });
    const text = `${HEADER}${rows.join('\n')}\n`;
    const cutAt = text.indexOf('\n', Math.floor(text.length * 0.7)) - 7;
    const id = await cutUpload(text.slice(0, cutAt), 'cut', 2_970);
    const half = (await api.call('GET', `/v1/batches/${id}`)).body;
    expect(half).toMatchObject({ rows: 3_000, rejected: 30, total: 2_970, pending: 2_970 });

    const whole = await upload(text, 'cut');
    expect(whole.status).toBe(202);
    expect(whole.body).toMatchObject({ id, rows: 5_500, accepted: 5_445, rejected: 55 });
    expect(whole.body.rejections).toHaveLength(55);
    await api.work('one');
    await api.work('two');
    const done = (await api.call('GET', `/v1/batches/${id}`)).body;
    expect(done).toMatchObject({ state: 'done', total: 5_445, pending: 0 });

    const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/cut-1`;
    const access = (await api.call('GET', path)).body;
    const count = rows.filter((row) => row === `grant,${SCRIPT},cut-1,1D`).length;
    const days = (Date.parse(access.applied.expiresAt) - Date.now()) / 86_400_000;
    expect(access.version).toBe(count);
    expect(Math.round(days)).toBe(count);
    expect(addDuration(0, { amount: count, unit: 'D' })).toBe(count * 86_400_000);
  });

  test('a resumed upload whose rows differ is refused with the range of rows, and nothing is counted twice', async () => {
    const line = (i: number) => `revoke,${SCRIPT},differs-${i},\n`;
    const text = HEADER + Array.from({ length: 3_500 }, (_, i) => line(i)).join('');
    const id = await cutUpload(text.slice(0, text.indexOf(line(2_400))), 'differs', 2_000);
    const other = await upload(text.replace('differs-1500,', 'differs-xxxx,'), 'differs');
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ code: 'resume_differs', id, from: 1_001, to: 2_000 });
    expect((await api.call('GET', `/v1/batches/${id}`)).body).toMatchObject({ state: 'interrupted', total: 2_000 });
    const shorter = await upload(text.slice(0, text.indexOf(line(1_500))), 'differs');
    expect([shorter.status, shorter.body.code]).toEqual([422, 'resume_differs']);
    const same = await upload(text, 'differs');
    expect(same.body).toMatchObject({ id, rows: 3_500, accepted: 3_500 });
  });

  test('while an upload runs, a second one under its key hears that it is running', async () => {
    const before = await fresh();
    const sent = open('runs');
    sent.write(`${HEADER}revoke,${SCRIPT},runs,\n`);
    await expect.poll(fresh).toBe(before + 1);
    const second = await upload(`${HEADER}revoke,${SCRIPT},runs,\n`, 'runs');
    expect(second.body.code).toBe('request_running');
    sent.end();
    expect((await answerTo(sent)).body).toMatchObject({ rows: 1, accepted: 1 });
  });

  test('an upload whose batch is cancelled meanwhile ends with 409', async () => {
    const text = HEADER + Array.from({ length: 2_500 }, (_, i) => `revoke,${SCRIPT},cancelled-${i},\n`).join('');
    const id = await cutUpload(text, 'cancelled', 2_000);
    await api.call('DELETE', `/v1/batches/${id}`);
    const again = await upload(text, 'cancelled');
    expect([again.status, again.body.code]).toEqual([409, 'batch_cancelled']);
    expect((await api.call('GET', `/v1/batches/${id}`)).body.state).toBe('cancelled');
  });

  test('a key that a stream has used is refused for another stream', async () => {
    const first = await upload(`${HEADER}revoke,${SCRIPT},used,\n`, 'used');
    expect(first.status).toBe(202);
    const other = await upload(`${HEADER}revoke,${SCRIPT},other,\n`, 'used');
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  test('a batch can be followed by events until it is done, and from the last event that was seen', async () => {
    const { body } = await upload(`${HEADER}revoke,${SCRIPT},followed-a,\nrevoke,${OTHER_SCRIPT},followed-b,\n`, null);
    const follow = async (lastId?: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/batches/${body.id}/events`, {
        headers: { 'x-api-key': ADMIN_KEY, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
      });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      return response.body?.pipeThrough(new TextDecoderStream()).getReader();
    };
    const reader = await follow();
    const first = await reader?.read();
    expect(first?.value).toContain('event: progress');
    const id = /id: (\S+)/.exec(first?.value ?? '')?.[1];
    await api.work('one');
    let rest = '';
    const collected = (async () => {
      for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) rest += piece.value;
    })();
    await api.work('two');
    await collected;
    expect(rest).toContain('event: done');
    expect(rest).toContain('"state":"done"');

    const late = await follow(id);
    let text = '';
    for (let piece = await late?.read(); piece?.done === false; piece = await late?.read()) text += piece.value;
    expect(text).toMatch(/event: done/);
    expect(text).not.toMatch(/event: progress/);
  });

  test('a client that takes no events is refused', async () => {
    const { body } = await upload(`${HEADER}`, null);
    const answer = await api.call('GET', `/v1/batches/${body.id}/events`, { headers: { accept: 'application/json' } });
    expect([answer.status, answer.body.code]).toEqual([406, 'not_acceptable']);
  });
});
