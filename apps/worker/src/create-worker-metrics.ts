import { budgetOf } from '@pinegate/budget';
import type { LaneEvents, TaskEvents } from '@pinegate/queues';
import { annotateSpan, type Logger, type Metrics, recordCall } from '@pinegate/runtime';
import { jobScope } from './job-scope.ts';
import type { WorkerEvents } from './worker-events.ts';

const SETTLE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200];
/** Results of a call that answer what was asked. */
const FINE: ReadonlySet<string> = new Set(['ok', 'exists', 'not_exists']);
const PERMIT_SECONDS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
const REQUEST_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6];

const DAY_MS = 86_400_000;

/** The one subscriber to what happens in a worker: turns events into metrics and into log lines. */
export function createWorkerMetrics(
  metrics: Metrics,
  log: Logger,
): { events: WorkerEvents; laneEvents: LaneEvents; taskEvents: TaskEvents } {
  const operations = metrics.counter({
    name: 'pinegate_operations_total',
    help: 'Operations that ended, by outcome.',
    labels: ['action', 'outcome'],
  });
  const settleSeconds = metrics.histogram({
    name: 'pinegate_settle_seconds',
    help: 'From the accept of an operation (of its batch, in bulk) to its outcome.',
    labels: ['lane'],
    buckets: SETTLE_SECONDS,
  });
  const requests = metrics.counter({
    name: 'pinegate_upstream_requests_total',
    help: 'Requests to TradingView, by what came of them.',
    labels: ['endpoint', 'result'],
  });
  const requestSeconds = metrics.histogram({
    name: 'pinegate_upstream_request_seconds',
    help: 'Duration of requests to TradingView.',
    labels: ['endpoint'],
    buckets: REQUEST_SECONDS,
  });
  const refusals = metrics.counter({
    name: 'pinegate_rate_limited_total',
    help: 'Requests that TradingView refused with 429.',
    labels: ['account', 'budget'],
  });
  const permits = metrics.counter({
    name: 'pinegate_permits_total',
    help: 'Permits given; one that is not used comes back and is given again.',
    labels: ['account', 'budget'],
  });
  const permitSeconds = metrics.histogram({
    name: 'pinegate_permit_wait_seconds',
    help: 'How long permits were waited for.',
    labels: ['budget'],
    buckets: PERMIT_SECONDS,
  });
  const supersessions = metrics.counter({
    name: 'pinegate_supersessions_total',
    help: 'Operations that ended because a later one replaced them.',
  });
  const takeovers = metrics.counter({
    name: 'pinegate_takeovers_total',
    help: 'Claims that lapsed and were taken over: their worker died, or was frozen.',
  });
  const verifications = metrics.counter({
    name: 'pinegate_verifications_total',
    help: 'Reads after a window in which a write could have landed unseen.',
    labels: ['result'],
  });
  const corrections = metrics.counter({
    name: 'pinegate_corrections_total',
    help: 'Writes repeated because a verification found another state.',
  });
  const refreshes = metrics.counter({
    name: 'pinegate_refreshes_total',
    help: 'Refreshes that are over, by result: done, or why they failed.',
    labels: ['result'],
  });
  const cache = metrics.counter({
    name: 'pinegate_cache_requests_total',
    help: 'Usernames asked for, by where the cache found them: hit_memory, hit_redis, miss, unavailable.',
    labels: ['result'],
  });
  const lost = metrics.counter({ name: 'pinegate_lost_claims_total', help: 'Settles that found their claim gone.' });
  const restored = metrics.counter({
    name: 'pinegate_redis_restored_total',
    help: 'Times that Redis was found emptied, or with an older state in it.',
    labels: ['what'],
  });
  const sessionChecks = metrics.counter({
    name: 'pinegate_session_checks_total',
    help: 'Checks whether a session is alive.',
    labels: ['result'],
  });
  const parked = metrics.counter({
    name: 'pinegate_accounts_parked_total',
    help: 'Accounts parked because their session was dead, once each time.',
    labels: ['account'],
  });
  const stalled = metrics.counter({ name: 'pinegate_stalled_jobs_total', help: 'Jobs whose worker went silent.' });
  const failedJobs = metrics.counter({
    name: 'pinegate_jobs_failed_total',
    help: 'Runs of bells that ended with an error and are repeated: Redis had a fault, or the program.',
    labels: ['lane'],
  });
  const failedTasks = metrics.counter({
    name: 'pinegate_tasks_failed_total',
    help: 'Runs of tasks of all accounts (look-ups, session checks, refreshes) that ended with an error and are repeated.',
    labels: ['queue'],
  });

  return {
    events: {
      ended(_account, ended) {
        for (const { action, outcome, lane, afterMs } of ended) {
          operations.inc({ action, outcome });
          if (outcome === 'superseded') supersessions.inc();
          settleSeconds.observe({ lane: lane === 'bulk' ? `${action}-bulk` : action }, afterMs / 1000);
        }
      },
      request({ account, endpoint, result, status, ms }) {
        requests.inc({ endpoint, result });
        requestSeconds.observe({ endpoint }, ms / 1000);
        const { lane, job } = jobScope.getStore() ?? {};
        log.debug({ account, lane, job, endpoint, result, status, durationMs: Math.round(ms) }, 'upstream call');
        const attributes = { 'pinegate.account': account ?? '', 'pinegate.result': result };
        recordCall(`tradingview ${endpoint}`, attributes, ms, !FINE.has(result));
        if (result === 'RATE_LIMITED' && account) refusals.inc({ account, budget: budgetOf(endpoint, {}) });
      },
      worked({ account, lane, job, chunk, turn, parts, report, ms }) {
        const outcome = Object.entries(report.outcomes).map(([name, count]) => `${name} ${count}`);
        const part = parts.map((number) => `${account}:${number}`);
        const batch = lane.endsWith('-bulk') ? turn : undefined;
        const { script, keys } = report;
        const durationMs = Math.round(ms);
        log.info({ account, lane, job, chunk, batch, part, script, keys, outcome, durationMs }, 'job');
        annotateSpan({
          'pinegate.account': account,
          'pinegate.lane': lane,
          'pinegate.chunk': chunk,
          'pinegate.parts': part,
          'pinegate.keys': keys,
          ...(batch === undefined ? {} : { 'pinegate.batch': batch }),
        });
      },
      verified(account, result) {
        verifications.inc({ result });
        if (result !== 'differs') return;
        corrections.inc();
        log.warn({ account }, 'a verification found another state than was written: writing it again');
      },
      permitted(account, budget, count, waitedMs) {
        permits.inc({ account, budget }, count);
        permitSeconds.observe({ budget }, waitedMs / 1000);
      },
      tookOver(account, count) {
        takeovers.inc({}, count);
        log.warn({ account, count }, 'claims had lapsed and were taken over');
      },
      lost(account) {
        lost.inc();
        log.warn({ account }, 'a claim was gone when its write came back: the key will be verified');
      },
      sessionChecked(account, { result, seen, moved }) {
        sessionChecks.inc({ result });
        if (moved && result === 'dead') {
          parked.inc({ account });
          log.error({ account, seen }, 'the session is dead: the account is parked until fresh cookies are posted');
        } else if (moved) log.info({ account }, 'the session is alive: the account goes on');
        else if (result === 'unclear') log.warn({ account, seen }, 'a check of the session was not answered');
        else log.debug({ account, result, seen }, 'session checked');
      },
      sessionOld(account, ageMs) {
        log.warn({ account, days: Math.floor(ageMs / DAY_MS) }, 'the cookies are old: post fresh ones before they end');
      },
      refreshed(account, result) {
        refreshes.inc({ result });
        log[result === 'done' ? 'info' : 'warn']({ account, result }, 'a refresh is over');
      },
      cacheAsked: (result) => cache.inc({ result }),
      emptied() {
        restored.inc({ what: 'emptied' });
        log.error('Redis has been emptied: nothing is written until it is restored (docs/restore.md)');
      },
      restored(account) {
        restored.inc({ what: account === null ? 'directory' : 'account' });
        log.error({ account }, 'an older state came back in Redis: the accounts are paused (docs/restore.md)');
      },
      swept(account, moved, rung) {
        if (moved + rung > 0) log.debug({ account, moved, rung }, 'swept');
      },
    },
    laneEvents: {
      fetched() {},
      failed: ({ account, lane, job }, err) => {
        failedJobs.inc({ lane });
        log.warn({ account, lane, job, err }, 'a job failed and will run again');
      },
      stalled: (account, lane) => {
        stalled.inc();
        log.warn({ account, lane }, 'a job stalled: its worker went silent');
      },
    },
    taskEvents: {
      failed(queue, err) {
        failedTasks.inc({ queue });
        log.warn({ queue, err }, 'a task failed and will run again');
      },
    },
  };
}
