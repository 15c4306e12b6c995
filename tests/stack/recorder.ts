import {
  type BatchReading,
  checkHistory,
  type RecordedChange,
  type RecordedHistory,
  type RecordedOperation,
  type Verdict,
  waitFor,
} from '@pinegate/testing';
import type { Answer, StackClient } from './stack-client.ts';

/** What a test asks for one user of one script. `expiresAt`: ms since 1970. */
export interface Asked {
  readonly script: string;
  readonly username: string;
  readonly change: RecordedChange;
}

/** A single operation that was accepted. */
export interface Accepted extends Asked {
  readonly id: string;
  readonly answer: Answer;
}

/** Sends operations, sends them again until they are answered, and keeps what the checker needs to know of them. */
export interface Recorder {
  /** One operation, under an Idempotency-Key of its own. */
  send(script: string, username: string, change: RecordedChange): Promise<Accepted>;
  /** A batch in one upload under its key; resolves to its id. Duplicate users of one script are allowed. */
  sendBatch(rows: readonly Asked[]): Promise<string>;
  /** Why requests had to be sent again: what answered them, or that nothing did. */
  readonly resent: readonly string[];
  /** Notes that failed operations were redriven: their place in the order may now be a later one. */
  redriven(): void;
  /** Notes that a worker stands still from now until the returned function is called. */
  frozen(): () => void;
  /** Resolves when each operation has an outcome. */
  settled(withinMs?: number): Promise<void>;
  /** Resolves when every operation has settled and no write can land unseen any more, with what the checker says of it all. */
  verdict(withinMs?: number): Promise<Verdict>;
}

interface SentBatch {
  readonly id: string;
  readonly rows: readonly Asked[];
  readonly from: number;
  readonly to: number;
  readonly rejected: ReadonlySet<number>;
}

const RESEND_MS = 100;
const GIVE_UP_MS = 180_000;

/**
 * @param quiet resolves when the ledger has nothing under way and nothing to verify
 * @param prefix of the Idempotency-Keys
 */
export function createRecorder(stack: StackClient, quiet: () => Promise<boolean>, prefix: string): Recorder {
  const singles: { readonly sent: Accepted; readonly from: number; readonly to: number }[] = [];
  const batches: SentBatch[] = [];
  const readings: BatchReading[] = [];
  const frozen: { from: number; to: number }[] = [];
  const resent: string[] = [];
  let keys = 0;
  let redrivenAt: number | undefined;

  async function send(script: string, username: string, change: RecordedChange): Promise<Accepted> {
    const path = `/v1/scripts/${encodeURIComponent(script)}/access/${username}`;
    const headers = { 'idempotency-key': `${prefix}-${keys++}` };
    const from = Date.now();
    const revoke = change.kind === 'revoke';
    const answer = await untilAnswered(
      () => stack.call(revoke ? 'DELETE' : 'PUT', path, { headers, ...(revoke ? {} : { body: untilOf(change) }) }),
      resent,
    );
    const sent = { script, username, change, id: String(answer.body.operation), answer };
    singles.push({ sent, from, to: Date.now() });
    return sent;
  }

  async function sendBatch(rows: readonly Asked[]): Promise<string> {
    const raw = rows.map((row) => `${JSON.stringify(rowOf(row))}\n`).join('');
    const headers = { 'idempotency-key': `${prefix}-${keys++}`, 'content-type': 'application/x-ndjson' };
    const from = Date.now();
    const { body } = await untilAnswered(() => stack.call('POST', '/v1/batches', { headers, raw }), resent);
    const rejected = new Set<number>(body.rejections.map((r: { row: number }) => r.row));
    batches.push({ id: body.id, rows, from, to: Date.now(), rejected });
    return body.id;
  }

  /** Throws while the api cannot answer: whoever waits looks again. What it does not know has no fields. */
  async function read(path: string): Promise<Answer['body']> {
    const { status, body } = await stack.call('GET', path);
    if (status !== 200 && status !== 404) throw new Error(`${path}: ${status} ${body.code}`);
    return status === 200 ? body : {};
  }

  async function readBatch(id: string): Promise<BatchReading> {
    const { total, pending, outcomes } = await read(`/v1/batches/${id}`);
    const reading = { id, at: Date.now(), total, pending, outcomes };
    readings.push(reading);
    return reading;
  }

  async function isSettled(): Promise<boolean> {
    for (const { id } of batches) if ((await readBatch(id)).pending > 0) return false;
    for (const { sent } of singles) {
      if ((await read(`/v1/operations/${sent.id}`)).status !== 'settled') return false;
    }
    return true;
  }

  async function operationsOfBatch(batch: SentBatch): Promise<RecordedOperation[]> {
    const { outcomes } = await readBatch(batch.id);
    const failures = await failuresOf(stack, batch.id);
    const counted = Object.keys(outcomes).filter((o) => (outcomes[o] ?? 0) > 0);
    const found: RecordedOperation[] = [];
    for (const [i, row] of batch.rows.entries()) {
      if (batch.rejected.has(i + 1)) continue;
      const bad = failures.filter((f) => f.script === row.script && sameName(f.username, row.username));
      const others = counted.filter((o) => o !== 'rejected' && o !== 'failed');
      const unique =
        batch.rows.filter((r) => r.script === row.script && sameName(r.username, row.username)).length === 1;
      const mine = bad.map((f) => f.outcome);
      found.push({
        ...row,
        version: null,
        batch: { id: batch.id, row: i + 1 },
        from: batch.from,
        to: batch.to,
        ...(redrivenAt === undefined ? {} : { redrivenAt }),
        answered: true,
        outcomes: unique && mine.length > 0 ? mine : [...others, ...mine],
        source: `batch ${batch.id} row ${i + 1}`,
      });
    }
    return found;
  }

  async function operationOf({ sent, from, to }: (typeof singles)[number]): Promise<RecordedOperation> {
    const body = await read(`/v1/operations/${sent.id}`);
    const accepted = Date.parse(body.acceptedAt);
    const { script, username, change } = sent;
    return {
      script,
      username,
      change,
      version: body.version,
      from: Number.isNaN(accepted) ? from : accepted,
      to: Number.isNaN(accepted) ? to : accepted,
      ...(redrivenAt === undefined ? {} : { redrivenAt }),
      answered: true,
      outcomes: body.outcome === null || body.outcome === undefined ? [] : [body.outcome],
      source: sent.id,
    };
  }

  async function gather(): Promise<RecordedHistory> {
    const operations: RecordedOperation[] = [];
    for (const single of singles) operations.push(await operationOf(single));
    for (const batch of batches) operations.push(...(await operationsOfBatch(batch)));
    const members: RecordedHistory['members'][number][] = [];
    const scripts = new Set(operations.map((o) => o.script));
    for (const script of scripts) {
      for (const [username, expiration] of await stack.members(script)) members.push({ script, username, expiration });
    }
    const writes = await stack.writes();
    return { operations, writes, members, batches: readings, frozen, readAt: Date.now() };
  }

  async function settled(withinMs = GIVE_UP_MS): Promise<void> {
    await waitFor(isSettled, { what: 'every operation to settle', withinMs, everyMs: 200 });
  }

  return {
    send,
    sendBatch,
    resent,
    redriven() {
      redrivenAt = Date.now();
    },
    frozen() {
      const interval = { from: Date.now(), to: Number.POSITIVE_INFINITY };
      frozen.push(interval);
      return () => {
        interval.to = Date.now();
      };
    },
    settled,
    async verdict(withinMs = GIVE_UP_MS) {
      await settled(withinMs);
      await waitFor(quiet, { what: 'the ledger to become quiet', withinMs, everyMs: 200 });
      // Again from the start where the api had no answer to one of the reads.
      return checkHistory(await waitFor(gather, { what: 'the api to tell what came of it', withinMs }));
    },
  };
}

/** A request that was cut off, refused as unavailable or found another one running is sent again, under the same key. */
async function untilAnswered(send: () => Promise<Answer>, resent: string[]): Promise<Answer> {
  return waitFor(
    async () => {
      const answer = await send().catch((error: Error) => {
        resent.push(String(error.cause ?? error));
        throw error;
      });
      if (answer.status < 300) return answer;
      resent.push(`${answer.status} ${answer.body.code}`);
      if (answer.status >= 500 || answer.status === 409) throw new Error(`${answer.status} ${answer.body.code}`);
      throw new Refused(answer);
    },
    { what: 'an answer', withinMs: GIVE_UP_MS, everyMs: RESEND_MS, giveUp: (error) => error instanceof Refused },
  );
}

class Refused extends Error {
  constructor({ status, body }: Answer) {
    super(`refused: ${status} ${JSON.stringify(body)}`);
  }
}

async function failuresOf(stack: StackClient, id: string) {
  const items: { script: string; username: string; outcome: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body }: Answer = await stack.call('GET', `/v1/batches/${id}/failures?limit=1000${query}`);
    items.push(...body.items);
    cursor = body.next;
  }
  return items;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function untilOf(change: Exclude<RecordedChange, { kind: 'revoke' }>): object {
  if (change.kind === 'set-for') return { duration: change.duration };
  if (change.kind === 'extend') return { extendBy: change.duration };
  return { expiresAt: change.expiresAt === null ? null : new Date(change.expiresAt).toISOString() };
}

function rowOf({ script, username, change }: Asked): object {
  if (change.kind === 'revoke') return { action: 'revoke', script, username };
  return { action: 'grant', script, username, ...untilOf(change) };
}
