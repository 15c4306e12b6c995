import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { JobStatus } from '@bull-board/api/typings/app';
import type { Chunk } from '@pinegate/ledger';
import type { BoardQueue } from '@pinegate/queues';

type LaneJob = Awaited<ReturnType<BullMQAdapter['getJobs']>>[number];

/** What the board shows of the chunks that jobs hold. */
export interface ChunkLook {
  /** In the order of the jobs; null for one that holds none. */
  chunksOf(jobs: readonly string[]): Promise<readonly (Chunk | null)[]>;
  scriptOf(index: number): Promise<string>;
}

const SHOWN_NAMES = 5;
const NOTHING = 'nothing: it was one bell too many';
const BARE = 'a bell: it takes the chunk whose turn it is when a worker hears it';

/** The board's view of a lane: a job carries nothing, so what it holds is read from the ledger and shown as its data. */
export class ChunkAdapter extends BullMQAdapter {
  readonly #look: ChunkLook;

  constructor({ queue, name }: BoardQueue, look: ChunkLook) {
    // Lanes are called alike in all accounts; the board tells queues apart by name.
    super(queue, { prefix: name.slice(0, name.length - queue.name.length) });
    this.#look = look;
  }

  override async getJob(id: string): Promise<LaneJob | undefined> {
    const job = await super.getJob(id);
    if (job) await this.#describe([job]);
    return job;
  }

  override async getJobs(statuses: JobStatus[], start?: number, end?: number): Promise<LaneJob[]> {
    const jobs = await super.getJobs(statuses, start, end);
    await this.#describe(jobs);
    return jobs;
  }

  async #describe(jobs: readonly LaneJob[]): Promise<void> {
    const chunks = await this.#look.chunksOf(jobs.map(({ id }) => id ?? ''));
    await Promise.all(
      jobs.map(async (job, i) => {
        const chunk = chunks[i];
        if (chunk) job.data = await this.#dataOf(chunk);
        else if (job.finishedOn === undefined) job.data = { waits: BARE };
        else job.data = job.returnvalue ?? { took: NOTHING };
      }),
    );
  }

  async #dataOf({ script, action, names }: Chunk) {
    return {
      script: await this.#look.scriptOf(script),
      action,
      keys: names.length,
      names: names.slice(0, SHOWN_NAMES),
    };
  }
}
