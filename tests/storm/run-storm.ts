import { openRedis, type Redis } from '@pinegate/runtime';
import type { AccessReading, RecordedMember, RecordedWrite } from '@pinegate/testing';
import { createApiClient } from './api-client.ts';
import { createChaos, type Sandbox } from './chaos.ts';
import { createClients } from './clients.ts';
import { JOURNAL, type JournalEntry, readJournal } from './journal.ts';
import { type Judgement, judge } from './judge.ts';
import { type Action, createPlan, type Plan } from './plan.ts';
import { createRecord, type StormRecord, tally } from './record.ts';
import { SHORT_TIMES } from './short-times.ts';
import { patchedSources, type SourcePatch } from './sources.ts';
import { ACCOUNTS, CONTESTED, FILLERS, freshCookies, GHOSTS, SCRIPTS } from './stage.ts';
import { type Protocol, type StormStack, startStormStack } from './storm-stack.ts';
import { waitUntilQuiet } from './wait-until-quiet.ts';

export interface StormOptions {
  readonly seed: number;
  /** How long the chaos lasts; the calm after it comes on top. */
  readonly lengthMs: number;
  /** Default http. */
  readonly protocol?: Protocol;
  /** Further changes of the sources: a rule that is dropped. */
  readonly patches?: readonly SourcePatch[];
  /** Whole texts in place of files, by path from the root. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly say?: (line: string) => void;
}

export interface StormResult extends Judgement {
  readonly plan: Plan;
  /** What the storm did. */
  readonly counts: Readonly<Record<string, number>>;
  /** Faults that requests to the sandbox met, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly upstreamRequests: number;
  readonly problems: readonly string[];
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>;
}

const LOOK_MS = 300;
const LAG_MS = 1_000;
const PATIENCE_MS = 200_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One storm: chaos as planned, calm, and the judgement. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { seed, lengthMs, patches = [], texts = {} } = options;
  const began = performance.now();
  const say = (line: string) =>
    options.say?.(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
  const plan = createPlan(seed, lengthMs);
  const stack = await startStormStack(
    plan,
    options.protocol ?? 'http',
    patchedSources([...JOURNAL, ...SHORT_TIMES, ...patches], texts),
  );
  const redis = openRedis(stack.redis.url, 'shared');
  const ended = new AbortController();
  const sandbox: Sandbox = async (method, path, body) => {
    const init = { method, body: body === undefined ? null : JSON.stringify(body) };
    const response = await fetch(stack.sandboxUrl + path, init);
    if (!response.ok) throw new Error(`sandbox: ${method} ${path} → ${response.status} ${await response.text()}`);
    return response.json();
  };
  try {
    const record = createRecord();
    const api = createApiClient(stack.apiUrls, stack.adminKey, ended.signal);
    const membersBefore = await setTheStage(api, sandbox, plan);
    const clients = createClients(api, record);
    const chaos = createChaos({ stack, redis, api, sandbox, record });
    const stopWatching = watch(record, () => clients.look());
    say(`seed ${seed}: ${plan.actions.length} actions in ${lengthMs / 1_000} s`);
    await follow(
      plan,
      async (action) => {
        if (isClients(action)) await clients.run(action);
        else await chaos.run(action);
      },
      record,
      () => chaos.calm(),
    );
    say('calm: waiting until nothing is pending');
    const left = await waitUntilQuiet(redis, sandbox);
    if (left !== null) {
      const accounts = await api.insist('GET', '/v1/accounts');
      record.wrongAnswers.push(`I7 it never became quiet: ${left} ${JSON.stringify(accounts?.body)}`);
    }
    await stopWatching();
    return await conclude({ plan, stack, redis, api, sandbox, record, membersBefore });
  } finally {
    ended.abort();
    redis.disconnect();
    await stack.stop();
  }
}

type Api = ReturnType<typeof createApiClient>;

async function setTheStage(api: Api, sandbox: Sandbox, plan: Plan): Promise<RecordedMember[]> {
  await sandbox('POST', '/__sandbox/configure', plan.switches);
  await sandbox('POST', '/__sandbox/users', { registered: [...CONTESTED, ...FILLERS], missing: GHOSTS });
  const before: RecordedMember[] = [];
  for (const { id, scripts, budgets } of ACCOUNTS) {
    const cookies = freshCookies(id);
    await sandbox('PUT', `/__sandbox/accounts/${id}`, { ...cookies, scripts });
    for (const script of scripts) {
      const members = CONTESTED.slice(0, 5).map((username, i) => {
        return { username, expiration: i === 0 ? null : new Date(Date.now() + i * 40 * 86_400_000).toISOString() };
      });
      await sandbox('POST', '/__sandbox/members', { pine_id: script, members });
      before.push(...members.map((m) => ({ script, ...m })));
    }
    await api.insist('PUT', `/v1/accounts/${id}`, { body: { scripts, budgets, maxInFlight: 200 } });
    for (;;) {
      const answer = await api.insist('PUT', `/v1/accounts/${id}/session`, { body: cookies });
      if (answer?.body.state === 'active') break;
      await pause(200);
    }
  }
  return before;
}

function isClients({ kind }: Action): boolean {
  return ['single', 'batch', 'retry-batch', 'retry-access', 'refresh'].includes(kind);
}

/** Does everything at its time, ends the chaos, and waits until every client has its answer; what never ends is noted and left. */
async function follow(
  plan: Plan,
  run: (action: Action) => Promise<void>,
  record: StormRecord,
  calm: () => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const running = new Map<Promise<void>, Action>();
  for (const { at, action } of plan.actions) {
    const wait = at - (performance.now() - began);
    if (wait > 0) await pause(wait);
    const done = run(action)
      .catch((error: unknown) => {
        record.wrongAnswers.push(`the storm itself: ${action.kind}: ${String(error)}`);
      })
      .finally(() => running.delete(done));
    running.set(done, action);
  }
  const within = async (what: (action: Action) => boolean) => {
    const all = Promise.all([...running].filter(([, action]) => what(action)).map(([done]) => done));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE_MS);
    await Promise.race([all, late.promise]);
    clearTimeout(timer);
  };
  await within((action) => !isClients(action));
  await calm();
  await within(isClients);
  for (const { kind } of running.values()) record.wrongAnswers.push(`the storm itself: ${kind} never ended`);
}

/** Reads batches all along, and notes when this machine stood still: then its workers did too. */
function watch(record: StormRecord, look: () => Promise<void>): () => Promise<void> {
  let stopped = false;
  const reading = (async () => {
    while (!stopped) {
      await look();
      await pause(LOOK_MS);
    }
  })();
  let last = Date.now();
  const lag = setInterval(() => {
    const now = Date.now();
    if (now - last > LAG_MS) {
      record.frozen.push({ from: last, to: now + LAG_MS });
      tally(record.counts, 'times the machine stood still');
    }
    last = now;
  }, 100);
  return async () => {
    stopped = true;
    clearInterval(lag);
    await reading;
  };
}

async function conclude(parts: {
  readonly plan: Plan;
  readonly stack: StormStack;
  readonly redis: Redis;
  readonly api: Api;
  readonly sandbox: Sandbox;
  readonly record: StormRecord;
  readonly membersBefore: readonly RecordedMember[];
}): Promise<StormResult> {
  const { plan, stack, redis, api, sandbox, record, membersBefore } = parts;
  const journals = new Map<string, JournalEntry[]>();
  for (const { id } of ACCOUNTS) journals.set(id, await readJournal(redis, `{pinegate:${id}}`));
  const members: RecordedMember[] = [];
  const accesses: AccessReading[] = [];
  for (const script of SCRIPTS) {
    const id = encodeURIComponent(script);
    const page = (await sandbox('GET', `/__sandbox/members?pine_id=${id}`)) as { members: RecordedMember[] };
    members.push(...page.members.map((m) => ({ ...m, script })));
    let cursor = '';
    do {
      const answer = await api.insist('GET', `/v1/scripts/${id}/access?limit=1000${cursor}`);
      accesses.push(...(answer?.body.items ?? []));
      cursor = answer?.body.next ? `&cursor=${encodeURIComponent(answer.body.next)}` : '';
    } while (cursor !== '');
  }
  const readAt = Date.now();
  for (const id of record.batches.keys()) {
    const answer = await api.insist('GET', `/v1/batches/${id}`);
    if (answer?.status !== 200) {
      record.wrongAnswers.push(`I1 ${id} cannot be read: ${answer?.status}`);
      continue;
    }
    const { total, pending, outcomes } = answer.body;
    record.readings.push({ id, at: Date.now(), total, pending, outcomes });
  }
  const outcomes = new Map<string, string | null>();
  for (const id of record.singles.keys()) {
    outcomes.set(id, (await api.insist('GET', `/v1/operations/${encodeURIComponent(id)}`))?.body.outcome ?? null);
  }
  const counters = (await sandbox('GET', '/__sandbox/counters')) as {
    requests: number;
    faults: Record<string, number>;
  };
  const judged = judge({
    record,
    journals,
    scriptOf: await scriptIndex(redis),
    writes: await allWrites(sandbox),
    members,
    membersBefore,
    accesses,
    outcomes,
    readAt,
  });
  tally(record.counts, 'processes ended because they did not answer', stack.stuck.length);
  const { requests: upstreamRequests, faults } = counters;
  return { ...judged, plan, counts: record.counts, faults, upstreamRequests, problems: stack.problems(), journals };
}

/** The directory's routes, turned round. */
async function scriptIndex(redis: Redis): Promise<(account: string, index: number) => string> {
  const routes = await redis.hgetall('{pinegate}:scripts');
  const names = new Map(Object.entries(routes).map(([script, route]) => [route, script]));
  return (account, index) => names.get(`${account}:${index}`) ?? `#${index}`;
}

async function allWrites(sandbox: Sandbox): Promise<RecordedWrite[]> {
  const writes: RecordedWrite[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const page = (await sandbox('GET', `/__sandbox/writes?limit=10000&after=${after}`)) as {
      entries: RecordedWrite[];
      next: number | null;
    };
    writes.push(...page.entries);
    after = page.next;
  }
  return writes;
}
