import { LANES, type Lane } from '@pinegate/access';
import { type Budget, type BudgetSettings, createBudget } from '@pinegate/budget';
import type { Account, Directory, EpochGuard, Ledger, UsernameCache } from '@pinegate/ledger';
import {
  type BellHandler,
  type ConsumerTimes,
  createLaneConsumer,
  type JobResult,
  type LaneConsumer,
  type LaneEvents,
} from '@pinegate/queues';
import { type Logger, type Redis, ScriptError } from '@pinegate/runtime';
import type { Session, TradingView } from '@pinegate/tradingview';
import type { AccountContext, SendLimits } from './account-context.ts';
import { checkSession } from './check-session.ts';
import type { DueMarks } from './create-due-marks.ts';
import { createSettler } from './create-settler.ts';
import type { InFlight } from './in-flight.ts';
import { lookUpUsername } from './look-up-username.ts';
import { observePermits } from './observe-permits.ts';
import { refreshScript } from './refresh-script.ts';
import { workChunk } from './work-chunk.ts';
import type { WorkerEvents } from './worker-events.ts';

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
  readonly inFlight: InFlight;
  readonly dueMarks: DueMarks;
  readonly events: WorkerEvents;
  readonly laneEvents: LaneEvents;
  readonly limits: SendLimits;
  /** Chunks worked on at once in each lane. */
  readonly chunksPerLane: number;
  readonly consumerTimes?: ConsumerTimes;
  readonly log: Logger;
}

/** One account served by this process. */
export interface ServedAccount {
  readonly id: string;
  readonly budget: Budget;
  /** Neither parked nor paused. */
  isActive(): boolean;
  /** Follows a change of the account. */
  update(account: Account): Promise<void>;
  /** Checks the cookies in force; true when there were some to check. */
  checkSession(): Promise<boolean>;
  /** Works on a refresh until it is over or the signal aborts. */
  refresh(id: string, signal: AbortSignal): Promise<JobResult>;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Budgets as the account configures them. */
function budgetSettings({ budgets, maxInFlight, sharedBudget = false }: Account): BudgetSettings {
  return { budgets, maxInFlight, shared: sharedBudget };
}

/** Starts to serve an account: its budget and the consumers of its four lanes, which run while the account is active. */
export async function serveAccount(parts: WorkerParts, first: Account): Promise<ServedAccount> {
  const { ns, redis, directory, events } = parts;
  const id = first.id;
  const log = parts.log.child({ account: id });
  const budget = observePermits(
    createBudget({ redis, ns, account: id, worker: parts.worker, settings: budgetSettings(first) }),
    () => performance.now(),
    (name, count, waitedMs) => events.permitted(id, name, count, waitedMs),
  );
  const login = createLogin(parts, id, budget);
  const room = parts.inFlight.open();
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
    // Also what is claimed already and has not been sent yet stops.
    session: () => (parts.epoch.isHalted() ? null : login.session()),
    suspectSession: () => void login.check(),
    lookUp: (username, options) =>
      lookUpUsername({ ...parts, cache: parts.usernames, budget, account: id }, username, options),
    markDue: (at) => parts.dueMarks.mark(id, at),
    limits: parts.limits,
    monotonic: () => performance.now(),
  };
  const hear: BellHandler = async ({ lane, job }, signal) => {
    try {
      return await workChunk(ctx, room, lane, job, signal);
    } catch (error) {
      if (!(error instanceof ScriptError) || error.reply !== 'EPOCH') throw error;
      // Not the job's fault: it goes on when the account has been resumed.
      await parts.epoch.suspect(id);
      return { result: 'hand-over' };
    }
  };
  const consumers = LANES.map((lane: Lane) =>
    createLaneConsumer({
      ns,
      account: id,
      lane,
      redis,
      concurrency: parts.chunksPerLane,
      ...(parts.consumerTimes ? { times: parts.consumerTimes } : {}),
      events: parts.laneEvents,
      handler: hear,
    }),
  );
  let revision = -1;
  let running = false;

  const served: ServedAccount = {
    id,
    budget,
    isActive: () => running,
    async update(account) {
      if (account.revision === revision) return;
      budget.configure(budgetSettings(account));
      for (const [pineId, route] of await directory.scripts.all()) {
        if (route.account === id) pineIds.set(route.index, pineId);
      }
      await login.load();
      const run = account.state === 'active';
      if (run && !running) consumers.forEach(start);
      if (!run && running) await Promise.all(consumers.map((c) => c.pause()));
      if (run !== running && revision >= 0) log.info({ state: account.state, reason: account.reason }, 'account state');
      running = run;
      revision = account.revision;
    },
    checkSession: () => login.check(),
    refresh: (run, signal) => refreshScript(ctx, run, signal),
    async stop(deadline) {
      await Promise.all(consumers.map((c) => c.stop(deadline)));
      room.close();
      await budget.close();
    },
  };
  const started = new Set<LaneConsumer>();
  function start(consumer: LaneConsumer): void {
    if (started.has(consumer)) consumer.resume();
    else consumer.start();
    started.add(consumer);
  }
  await served.update(first);
  return served;
}

/** The cookies in force, and the one check of them at a time. */
function createLogin(parts: WorkerParts, account: string, budget: Budget) {
  let current: { readonly session: Session; readonly postedAt: number } | null = null;
  let checking: Promise<boolean> | undefined;

  async function load(): Promise<void> {
    const stored = await parts.directory.sessions.get(account);
    if (!stored) {
      current = null;
    } else if (stored.postedAt !== current?.postedAt) {
      const { sessionid, sessionidSign } = stored.cookies;
      current = { session: Object.freeze({ account, sessionid, sessionidSign }), postedAt: stored.postedAt };
    }
  }

  async function runCheck(): Promise<boolean> {
    await load();
    if (!current) return false;
    const result = await checkSession({ ...parts, budget }, account, current.session, current.postedAt);
    parts.events.sessionChecked(account, result);
    return true;
  }

  return {
    session: () => current?.session ?? null,
    load,
    check(): Promise<boolean> {
      checking ??= runCheck()
        .catch((err: unknown) => {
          parts.log.warn({ account, err }, 'the session could not be checked');
          return false;
        })
        .finally(() => {
          checking = undefined;
        });
      return checking;
    },
  };
}
