import type { Bells, Checkpoint, Directory, EndedCount, LaneClass, Ledger, Rejection } from '@pinegate/ledger';
import { buildPartSubmits, type PartSubmits, type Submitted } from './part-submits.ts';
import { persist } from './persist.ts';
import { planChunk } from './plan-chunk.ts';
import { buildResume, type Resume } from './resume.ts';
import type { RouteBook } from './route-book.ts';
import { CHUNKS_IN_FLIGHT, laneOfBatch, type RowChunk } from './row-chunks.ts';

const TOO_MANY = 'Too many operations of this access are pending; send it again when some have settled.';

/** What all uploads share. */
export interface UploadParts {
  readonly directory: Directory;
  readonly ledger: Ledger;
  /** Rings for what was written; never fails. */
  ring(account: string, bells: Bells): Promise<void>;
  /** Told of rows that were decided on, for metrics. */
  counted(verdict: 'accepted' | 'rejected', rows: number): void;
  /** Told of operations that ended at once. */
  ended(ended: readonly EndedCount[]): void;
  /** Told which part of an account the batch is. */
  took(account: string, part: number): void;
}

/** One upload, new or resumed. */
export interface UploadRequest {
  readonly batch: string;
  /** Id of the API key. */
  readonly source: string;
  /** It came with an Idempotency-Key: it may extend, and it can be resumed. */
  readonly keyed: boolean;
  /** Its users are looked up before anything is sent for them. */
  readonly validate: boolean;
  /** Whether revokes were accepted when the batch began; asked once the batch is open. */
  acceptRevokes(): boolean;
  readonly routes: RouteBook;
  /** Checked before each chunk; throws to end the upload. */
  check(): void;
}

/** How far an upload came; grows while it runs. */
export interface UploadProgress {
  /** Rows whose verdicts are stored, all of them up to this number. */
  rows: number;
}

/**
 * Submits the chunks of an upload: of each chunk the checkpoint first, then its rejections, then its rows, per account strictly in order,
 * a few chunks at a time. Resolves when all is stored.
 * Errors: `Problem` `resume_differs`, `batch_cancelled`, `unavailable`; those of the chunks; those of Redis.
 */
export async function runUpload(
  parts: UploadParts,
  request: UploadRequest,
  chunks: AsyncIterable<RowChunk> | Iterable<RowChunk>,
  progress: UploadProgress,
): Promise<void> {
  let resume: Resume | null = null;
  let step: ((chunk: RowChunk) => Promise<void>) | null = null;
  const underWay: { readonly done: Promise<void>; readonly last: number }[] = [];
  const finishOldest = async () => {
    const oldest = underWay.shift();
    await oldest?.done;
    progress.rows = oldest?.last ?? progress.rows;
  };
  try {
    for await (const chunk of chunks) {
      request.check();
      // Read when the first chunk is there: a new batch begins with it.
      resume ??= await buildResume(parts, request.batch);
      step ??= buildChunkStep(parts, request, resume);
      resume.compare(chunk);
      await request.routes.learn(chunk);
      if (underWay.length >= CHUNKS_IN_FLIGHT) await finishOldest();
      if (chunk.rows.length === 0) continue;
      const done = step(chunk);
      done.catch(() => {});
      underWay.push({ done, last: chunk.first + chunk.rows.length - 1 });
    }
    while (underWay.length > 0) await finishOldest();
  } catch (error) {
    // Nothing of this request may still be on its way when its lease ends.
    const ends = await Promise.allSettled(underWay.map(({ done }) => done));
    const failed = ends.findIndex(({ status }) => status === 'rejected');
    progress.rows = underWay[(failed === -1 ? ends.length : failed) - 1]?.last ?? progress.rows;
    throw error;
  }
}

function buildChunkStep(parts: UploadParts, request: UploadRequest, resume: Resume) {
  const { directory, ledger } = parts;
  const { batch, source, keyed, validate } = request;
  const submits = new Map<string, PartSubmits>();
  const announced = new Map<string, Promise<void>>();
  let lane: LaneClass | null = null;

  function submitsOf(account: string, laneClass: LaneClass): PartSubmits {
    let known = submits.get(account);
    if (known === undefined) {
      const turn = laneClass === 'single' ? source : batch;
      known = buildPartSubmits(ledger.account(account), {
        id: batch,
        kind: 'batch',
        lane: laneClass,
        turn,
        source,
        validate,
      });
      submits.set(account, known);
    }
    return known;
  }

  function announce(account: string, laneClass: LaneClass): Promise<void> {
    const known = announced.get(account) ?? persist(() => directory.batches.addPart(batch, account, laneClass));
    announced.set(account, known);
    return known;
  }

  async function prepare(checkpoint: Checkpoint, rejections: readonly Rejection[], addParts: () => Promise<unknown>) {
    if (keyed && !resume.knows(checkpoint)) await persist(() => directory.batches.checkpoint(batch, checkpoint));
    await Promise.all([persist(() => directory.batches.reject(batch, rejections)), addParts()]);
  }

  async function conclude(account: string, { refused, bells, ended, part }: Submitted): Promise<void> {
    if (refused.length > 0) {
      const rejections = refused.map((row) => ({ row, code: 'too_many_pending', detail: TOO_MANY }));
      await persist(() => directory.batches.reject(batch, rejections));
      parts.counted('rejected', refused.length);
    }
    parts.ended(ended);
    if (part !== null) parts.took(account, part);
    for (const ringing of bells) await parts.ring(account, ringing);
  }

  return async (chunk: RowChunk): Promise<void> => {
    lane ??= laneOfBatch(chunk);
    const laneClass = lane;
    const last = chunk.first + chunk.rows.length - 1;
    const plan = planChunk(chunk, {
      routes: request.routes.known,
      mayExtend: keyed,
      acceptRevokes: request.acceptRevokes(),
      rejectedBefore: resume.rejected,
    });
    if (resume.isStored(last, plan.rows)) {
      for (const [account, rows] of plan.rows) submitsOf(account, laneClass).skip(rows.at(-1)?.row ?? 0);
      return;
    }
    const addParts = () => Promise.all([...plan.rows.keys()].map((account) => announce(account, laneClass)));
    const ready = prepare({ row: last, hash: chunk.hash }, plan.rejections, addParts);
    // The submits take their place in the order of their part now, before anything is awaited.
    const sent = [...plan.rows].map(async ([account, rows]) => {
      const submitted = await submitsOf(account, laneClass).submit(rows, ready);
      parts.counted('accepted', rows.length - submitted.refused.length);
      await conclude(account, submitted);
    });
    await Promise.all([ready, ...sent]);
    parts.counted('rejected', plan.rejections.length);
  };
}
