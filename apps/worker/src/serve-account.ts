import { LANES, type Lane } from '@pinegate/access';
import { type Budget, type BudgetSettings, createBudget } from '@pinegate/budget';
import type { Flags } from '@pinegate/flags';
import {
  type Account,
  type Directory,
  type EpochGuard,
  type Ledger,
  NotReplicatedError,
  type SessionResult,
  type UsernameCache,
} from '@pinegate/ledger';
import {
  type BellHandler,
  type ConsumerTimes,
  createLaneConsumer,
  type JobResult,
  type LaneConsumer,
  type LaneEvents,
} from '@pinegate/queues';
import { type Logger, type Redis, ScriptError } from '@pinegate/runtime';
import type { TradingView } from '@pinegate/tradingview';
import type { AccountContext, SendLimits } from './account-context.ts';
import { type ChunkGate, createChunkGate } from './create-chunk-gate.ts';
import type { DueMarks } from './create-due-marks.ts';
import { createLogin, SUSPECT_MS } from './create-login.ts';
import { createSettler } from './create-settler.ts';
import type { InFlight } from './in-flight.ts';
import { jobScope } from './job-scope.ts';
import { lookUpUsername } from './look-up-username.ts';
import { observePermits } from './observe-permits.ts';
import { refreshScript } from './refresh-script.ts';
import { createSessionGate, type SessionGate } from './session-gate.ts';
import type { ConsumedLane } from './watch-progress.ts';
import { workChunk } from './work-chunk.ts';
import type { WorkerEvents } from './worker-events.ts';

/** For how long ahead bulk keys are taken, s: less would leave permits unused, more would make other batches wait. */
const AHEAD_S = 0.5;

/** What all accounts of a process share. */
export interface WorkerParts {
  readonly ns: string;
  readonly worker: string;
  readonly redis: Redis;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly epoch: Pick<EpochGuard, 'isHalted' | 'suspect'>;
  readonly usernames: UsernameCache;
  readonly upstream: TradingView;
  readonly flags: Pick<Flags, 'values'>;
  readonly inFlight: InFlight;
  readonly dueMarks: DueMarks;
  readonly events: WorkerEvents;
  readonly laneEvents: LaneEvents;
  readonly limits: SendLimits;
  /** Chunks worked on at once in a lane. */
  readonly chunksPerLane: { readonly single: number; readonly bulk: number };
  readonly consumerTimes?: ConsumerTimes;
  readonly log: Logger;
}

/** One account served by this process. */
export interface ServedAccount {
  readonly id: string;
  readonly budget: Budget;
  /** Whether its requests may be sent. */
  readonly gate: Pick<SessionGate, 'open' | 'suspect' | 'conclude'>;
  /** Its lanes while they run here. */
  lanes(): readonly ConsumedLane[];
  /** Follows a change of the account. */
  update(account: Account): Promise<void>;
  /** Checks the cookies in force. */
  checkSession(): Promise<SessionResult>;
  /** Works on a refresh until it is over or the signal aborts. */
  refresh(id: string, signal: AbortSignal): Promise<JobResult>;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Budgets as the account configures them. */
export function budgetSettings({ budgets, maxInFlight, sharedBudget = false }: Account): BudgetSettings {
  return { budgets, maxInFlight, shared: sharedBudget };
}

/** Somebody waits for the single lanes, and API keys take turns by the chunk: these take what there is. */
function laneGates(budget: Pick<Budget, 'rate'>, cap: number): Readonly<Record<Lane, ChunkGate>> {
  const bulk = (name: 'grant' | 'revoke') =>
    createChunkGate(() => {
      const rate = budget.rate(name);
      // Without a limit as many as may be under way here: whoever takes more keeps them from the other workers.
      return rate === null ? cap : rate * AHEAD_S;
    });
  const open = createChunkGate(() => Number.POSITIVE_INFINITY);
  return { grant: open, revoke: open, 'grant-bulk': bulk('grant'), 'revoke-bulk': bulk('revoke') };
}

/** Makes what serves an account, its budget and the consumers of its four lanes; they run from the first update while the account is active. */
export function serveAccount(parts: WorkerParts, first: Account): ServedAccount {
  const { ns, redis, directory, events } = parts;
  const id = first.id;
  const log = parts.log.child({ account: id });
  const budget = observePermits(
    createBudget({
      redis,
      ns,
      account: id,
      worker: parts.worker,
      settings: budgetSettings(first),
      most: parts.inFlight.cap,
    }),
    () => performance.now(),
    (name, count, waitedMs) => events.permitted(id, name, count, waitedMs),
  );
  const gate = createSessionGate(SUSPECT_MS);
  const login = createLogin(parts, id, budget, gate);
  const room = parts.inFlight.open();
  const gates = laneGates(budget, parts.inFlight.cap);
  const pineIds = new Map<number, string>();
  const ledger = parts.ledger.account(id);

  const ctx: AccountContext = {
    account: id,
    ledger,
    budget,
    upstream: parts.upstream,
    settler: createSettler(ledger),
    events,
    scriptOf: (index) => pineIds.get(index) ?? null,
    gate,
    // Also what is claimed already and has not been sent yet stops.
    session: () => (parts.epoch.isHalted() ? null : login.session()),
    suspectSession: (session) => login.suspect(session),
    knownSpelling: async (username) => (await parts.usernames.get(username))?.canonical,
    lookUp: (username, options) =>
      lookUpUsername({ ...parts, cache: parts.usernames, budget, account: id }, username, options),
    verifiesWrites: () => parts.flags.values.verifyEveryWrite,
    markDue: (at) => parts.dueMarks.mark(id, at),
    limits: parts.limits,
    monotonic: () => performance.now(),
  };
  const heard = LANES.map((lane) => ({ account: id, lane, busy: 0, heard: 0 }));
  const hear: BellHandler = async ({ lane, job }, signal) => {
    const own = heard.find((l) => l.lane === lane);
    if (own) {
      own.busy += 1;
      own.heard += 1;
    }
    try {
      return await jobScope.run({ lane, job }, () => workChunk(ctx, { room, gate: gates[lane] }, lane, job, signal));
    } catch (error) {
      // Armed, but a fail-over might not know: nothing is sent, and the claim lapses.
      if (error instanceof NotReplicatedError) return { result: 'hand-over' };
      if (!(error instanceof ScriptError) || error.reply !== 'EPOCH') throw error;
      // Not the job's fault: it goes on when the account has been resumed.
      await parts.epoch.suspect(id);
      return { result: 'hand-over' };
    } finally {
      if (own) own.busy -= 1;
    }
  };
  const consumers = LANES.map((lane: Lane) =>
    createLaneConsumer({
      ns,
      account: id,
      lane,
      redis,
      concurrency: lane.endsWith('-bulk') ? parts.chunksPerLane.bulk : parts.chunksPerLane.single,
      ...(parts.consumerTimes ? { times: parts.consumerTimes } : {}),
      events: parts.laneEvents,
      handler: hear,
    }),
  );
  const started = new Set<LaneConsumer>();
  let revision = -1;
  let running = false;
  let parked = false;

  function start(consumer: LaneConsumer): void {
    if (started.has(consumer)) consumer.resume();
    else consumer.start();
    started.add(consumer);
  }

  return {
    id,
    budget,
    gate,
    lanes: () => (running ? heard : []),
    async update(account) {
      if (account.revision === revision) return;
      const run = account.state === 'active';
      parked = account.state === 'parked';
      if (!run) gate.follow(false, 'dead');
      budget.configure(budgetSettings(account));
      for (const [pineId, route] of await directory.scripts.all()) {
        if (route.account === id) pineIds.set(route.index, pineId);
      }
      await login.load();
      if (run) gate.follow(true, account.session.state === 'ok' ? 'ok' : 'unclear');
      if (run && !running) consumers.forEach(start);
      if (!run && running) await Promise.all(consumers.map((c) => c.pause()));
      if (run !== running && revision >= 0)
        log.debug({ state: account.state, reason: account.reason }, 'account state');
      running = run;
      revision = account.revision;
    },
    checkSession: () => login.check(),
    // Also while it is paused: a restored account is refreshed before it is resumed.
    refresh: (run, signal) => refreshScript({ ...ctx, session: () => (parked ? null : login.cookies()) }, run, signal),
    async stop(deadline) {
      await Promise.all(consumers.map((c) => c.stop(deadline)));
      gate.follow(false, 'unclear');
      room.close();
      await budget.close();
    },
  };
}
