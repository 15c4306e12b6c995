import { randomUUID } from 'node:crypto';
import type { Action, Lane } from '@pinegate/access';
import type { Permits } from '@pinegate/budget';
import type { CallBudget, Chunk, Claimed, ClaimedWork } from '@pinegate/ledger';
import type { AccountContext } from './account-context.ts';
import type { ClaimTicket } from './claim-ticket.ts';
import { converge } from './converge.ts';
import type { ChunkGate } from './create-chunk-gate.ts';
import type { Room } from './in-flight.ts';
import { permitsInRoom } from './permits-in-room.ts';

const REPORT_NAMES = 5;

/** What came of a bell. */
export type ChunkResult =
  | { readonly result: 'nothing' }
  /** Keys are left: the job keeps its chunk, and whoever gets the job goes on with it. */
  | { readonly result: 'hand-over' }
  | { readonly result: 'done'; readonly report: ChunkReport };

/** The job's return value, for who looks at the dashboard. */
export interface ChunkReport {
  readonly script: string;
  readonly action: Action;
  readonly keys: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly names: readonly string[];
}

/** Where an account's chunks of one lane wait. */
export interface LaneLimits {
  readonly room: Room;
  readonly gate: ChunkGate;
}

/** Works on the chunk whose turn it is: permits, claim, converge, settle, until each key got a definite answer. */
export async function workChunk(
  ctx: AccountContext,
  limits: LaneLimits,
  lane: Lane,
  job: string,
  signal: AbortSignal,
): Promise<ChunkResult> {
  if (!(await limits.gate.enter(signal))) return { result: 'hand-over' };
  const chunk = await takeChunk(ctx, limits.gate, lane, job);
  if (!chunk) return { result: 'nothing' };
  const startedAt = ctx.monotonic();
  const run = createChunkRun(ctx, limits, chunk, lane.endsWith('-bulk'));
  try {
    while (run.left.size > 0 && !signal.aborted) {
      if (!(await run.claimSome(signal))) break;
      if (run.left.size === 0) await run.settled();
    }
  } finally {
    run.gone();
    await run.settled();
  }
  if (run.left.size > 0) return { result: 'hand-over' };
  // Goes out with the end of the job. Where it gets lost, the sweep puts the chunk back, and whoever takes it finds nothing left to do.
  ctx.ledger.close(lane, job, chunk.id).catch(() => {});
  const report = run.report();
  const { id, turn } = chunk;
  const ms = ctx.monotonic() - startedAt;
  ctx.events.worked({ account: ctx.account, lane, job, chunk: id, turn, parts: [...run.parts], report, ms });
  return { result: 'done', report };
}

async function takeChunk(ctx: AccountContext, gate: ChunkGate, lane: Lane, job: string): Promise<Chunk | null> {
  let chunk: Chunk | null = null;
  try {
    chunk = await ctx.ledger.take(lane, job);
    return chunk;
  } finally {
    gate.taken(chunk?.names.length ?? 0);
  }
}

function createChunkRun(ctx: AccountContext, { room, gate }: LaneLimits, chunk: Chunk, bulk: boolean) {
  const pineId = ctx.scriptOf(chunk.script);
  const usual: CallBudget = chunk.action;
  /** Keys without a definite answer, with the budget that their next request is paid from. */
  const left = new Map<string, CallBudget>(chunk.names.map((name) => [name, usual]));
  /** Keys that are claimed and have not been settled. */
  let running = 0;
  let onSettled = () => {};
  const outcomes: Record<string, number> = {};
  const parts = new Set<number>();
  let failure: unknown;
  /** Keys that have had no permit yet; the lane's gate counts them. */
  let lacking = chunk.names.length;

  function permitted(keys: number): void {
    const first = Math.min(keys, lacking);
    lacking -= first;
    gate.permitted(first);
  }

  const count = (ended: readonly { readonly outcome: string }[]) => {
    for (const e of ended) outcomes[e.outcome] = (outcomes[e.outcome] ?? 0) + 1;
  };

  /** Claims as many keys as permits could be had for; false when none could. */
  async function claimSome(signal: AbortSignal): Promise<boolean> {
    const budget = left.values().next().value ?? usual;
    const names = [...left].filter(([, b]) => b === budget).map(([name]) => name);
    if (!(await ctx.gate.passed(signal))) return false;
    const got = await permitsInRoom(ctx.budget, room, budget, names.length, { bulk, signal });
    if (!got) return false;
    const { permits, places } = got;
    permitted(places);
    let unused = places;
    try {
      // It closed while we waited: again from the start.
      if (!ctx.gate.open) return true;
      unused -= await claimWith(permits, budget, names.slice(0, places));
      return true;
    } finally {
      permits.release();
      room.leave(unused, bulk);
    }
  }

  /** Number of keys that went on to converge; each leaves its room by itself. */
  async function claimWith(permits: Permits, budget: CallBudget, names: readonly string[]): Promise<number> {
    const token = randomUUID();
    const sentAt = ctx.monotonic();
    const hand = { grant: 0, revoke: 0, list: 0, [budget]: names.length };
    const { keys, ended, takeovers } = await ctx.ledger.claim(chunk.script, names, token, hand);
    const answeredAt = ctx.monotonic();
    count(ended);
    ctx.events.ended(ctx.account, ended);
    if (takeovers > 0) ctx.events.tookOver(ctx.account, takeovers);
    let started = 0;
    for (const key of keys) {
      if (key.need === 'permit') {
        left.set(key.name, key.budget);
        continue;
      }
      left.delete(key.name);
      if (key.need === 'wait') ctx.markDue(key.at);
      if (!isWork(key)) continue;
      for (const { part } of key.chain) parts.add(part);
      ctx.markDue(key.claimedAt + ctx.limits.leaseMs);
      const ticket = { script: chunk.script, pineId: pineId ?? '', name: key.name, token, bulk, sentAt, answeredAt };
      void finish(ticket, key, permits);
      started += 1;
    }
    return started;
  }

  /** Converges one key. Never rejects: `settled` tells the first failure. */
  async function finish(ticket: ClaimTicket, key: Claimed & ClaimedWork, permits: Permits): Promise<void> {
    let inRoom = true;
    // What waits for its settle has no request under way: others may have theirs.
    const leave = () => {
      if (inRoom) room.leave(1, bulk);
      inRoom = false;
    };
    running += 1;
    try {
      const settled = await converge(ctx, ticket, key as Parameters<typeof converge>[2], onePermit(permits), leave);
      count(settled.ended);
      ctx.events.ended(ctx.account, settled.ended);
      if (settled.need === 'again') left.set(ticket.name, usual);
      if (settled.need === 'wait') ctx.markDue(settled.at);
      if (settled.need === 'lost') ctx.events.lost(ctx.account);
    } catch (error) {
      failure ??= error;
    } finally {
      leave();
      running -= 1;
      if (running === 0) onSettled();
    }
  }

  return {
    left,
    parts,
    claimSome,
    /** Nothing more is waited for. */
    gone: () => permitted(lacking),
    /** Resolves when nothing that was claimed is under way any more; rejects when a settle got no answer. */
    async settled() {
      if (running > 0) {
        await new Promise<void>((resolve) => {
          onSettled = resolve;
        });
      }
      if (failure !== undefined) throw failure;
    },
    report(): ChunkReport {
      const names = chunk.names.slice(0, REPORT_NAMES);
      return { script: pineId ?? `#${chunk.script}`, action: chunk.action, keys: chunk.names.length, outcomes, names };
    },
  };
}

function isWork(key: Claimed): key is Claimed & ClaimedWork {
  return key.need === 'write' || key.need === 'base' || key.need === 'final' || key.need === 'verify';
}

/** One permit out of a block, reserved at once: the rest of the block is released while this one still waits for its request. */
function onePermit(block: Permits): Permits {
  const reserved = block.start();
  let taken = false;
  return {
    count: 1,
    start() {
      taken = true;
      return reserved;
    },
    release() {
      if (!taken) reserved.finish('unsent');
      taken = true;
    },
  };
}
