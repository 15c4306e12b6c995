import { randomUUID } from 'node:crypto';
import type { Drift, ListedMember, Refreshes, RefreshTaken } from '@pinegate/ledger';
import type { JobResult } from '@pinegate/queues';
import type { AccountContext } from './account-context.ts';
import { type AskContext, askUpstream, ReadingError } from './ask-upstream.ts';
import { type Members, readMembers } from './read-members.ts';

const RENEW_MS = 10_000;
const HELD_MS = 5_000;
const SLICE = 500;
const MOST_READINGS = 3;

/** What a refresh needs of an account. */
export type RefreshContext = AskContext &
  Pick<AccountContext, 'account' | 'upstream' | 'scriptOf' | 'events'> & {
    readonly ledger: { readonly refreshes: Refreshes; now(): Promise<number> };
  };

type Taken = Extract<RefreshTaken, { status: 'taken' }>;

/** Somebody else has the run in hand now. */
class RunLostError extends Error {
  override readonly name = 'RunLostError';
}

/**
 * Reads the whole member list of a script, compares it with the ledger, and takes it as known if that was asked for. Never writes upstream.
 * Nothing is compared or taken over before the list is known to be complete. Run again after a crash it begins with the first page.
 */
export async function refreshScript(ctx: RefreshContext, id: string, signal: AbortSignal): Promise<JobResult> {
  const { refreshes } = ctx.ledger;
  const token = randomUUID();
  const taken = await refreshes.take(id, token);
  if (taken.status === 'over') return { result: 'done' };
  if (taken.status === 'held') return { result: 'later', delayMs: HELD_MS };
  const renewal = setInterval(() => void refreshes.note(id, token, {}).catch(() => {}), RENEW_MS);
  try {
    await createRun(ctx, taken, id, token, signal).run();
    await refreshes.end(id, token, 'done', null);
    ctx.events.refreshed(ctx.account, 'done');
    return { result: 'done' };
  } catch (error) {
    if (error instanceof RunLostError) return { result: 'later', delayMs: HELD_MS };
    if (!(error instanceof ReadingError)) throw error;
    if (error.code === 'hand_over') {
      await refreshes.release(id, token);
      return { result: 'hand-over' };
    }
    await refreshes.end(id, token, 'failed', error.code);
    ctx.events.refreshed(ctx.account, error.code);
    return { result: 'done' };
  } finally {
    clearInterval(renewal);
  }
}

function createRun(
  ctx: RefreshContext,
  { script, mode, compared }: Taken,
  id: string,
  token: string,
  signal: AbortSignal,
) {
  const { refreshes } = ctx.ledger;
  const pineId = ctx.scriptOf(script);

  async function note(what: Parameters<Refreshes['note']>[2]): Promise<void> {
    if (!(await refreshes.note(id, token, what))) throw new RunLostError('the run is in other hands');
  }

  function readAll(pine: string): Promise<Members> {
    const fetchPage = (cursor: string | null) =>
      askUpstream(ctx, signal, (session) => ctx.upstream.listUsersPage(session, { script: pine, cursor }));
    return readMembers(fetchPage, note);
  }

  /** A list that moves while it is read is read again, a few times. */
  async function readComplete(pine: string): Promise<Members> {
    for (let reading = 1; ; reading++) {
      try {
        return await readAll(pine);
      } catch (error) {
        const moved = error instanceof ReadingError && error.code === 'list_changed';
        if (!moved || reading === MOST_READINGS) throw error;
      }
    }
  }

  /** Who is on no page although the ledger knows of an access is asked for by name, or else in a second reading: a page may have missed them. */
  async function findMissed(pine: string, names: readonly string[], pagesRead: number): Promise<ListedMember[]> {
    if (names.length > Math.max(pagesRead, SLICE / 10)) {
      const again = await readComplete(pine);
      return names.flatMap((name) => again.get(name.toLowerCase()) ?? []);
    }
    const found: ListedMember[] = [];
    for (const username of names) {
      const list = { script: pine, username };
      const member = await askUpstream(ctx, signal, (session) => ctx.upstream.listUsers(session, list));
      if (member) found.push(member);
    }
    return found;
  }

  async function throughPages(members: readonly ListedMember[], since: number, seen: string, adopt: boolean) {
    const drift: Drift[] = [];
    let [known, skipped] = [0, 0];
    for (let at = 0; at === 0 || at < members.length; at += SLICE) {
      const page = await refreshes.page(script, seen, since, adopt, members.slice(at, at + SLICE));
      drift.push(...page.drift);
      known += page.known;
      skipped += page.skipped;
    }
    return { drift, known, skipped };
  }

  async function throughAbsent(since: number, seen: string, adopt: boolean) {
    const drift: Drift[] = [];
    let known = 0;
    for (let bucket: number | null = 0; bucket !== null; ) {
      const step = await refreshes.absent(script, seen, since, adopt, bucket);
      // The names seen have expired: this process was away for an hour.
      if (step.lost) throw new RunLostError('the names seen are gone');
      drift.push(...step.drift);
      known += step.known;
      bucket = step.next;
    }
    return { drift, known };
  }

  async function noteReport(drift: readonly Drift[], known: number, skipped: number): Promise<void> {
    for (let at = 0; at < drift.length; at += SLICE) await note({ drift: drift.slice(at, at + SLICE) });
    await note({ known, skipped, compared: true });
  }

  /** Compares without taking anything over; answers the list with those whom its pages had missed. */
  async function compare(pine: string, members: Members, since: number): Promise<readonly ListedMember[]> {
    const listed = [...members.values()];
    const pages = await throughPages(listed, since, `${token}.report`, false);
    const absent = await throughAbsent(since, `${token}.report`, false);
    const names = absent.drift.map(({ username }) => username);
    const missed = await findMissed(pine, names, Math.ceil(members.size / 30));
    const found = new Set(missed.map(({ username }) => username.toLowerCase()));
    const late = missed.length === 0 ? { drift: [] } : await throughPages(missed, since, `${token}.missed`, false);
    const missing = absent.drift.filter(({ username }) => !found.has(username.toLowerCase()));
    if (!compared) {
      await noteReport([...pages.drift, ...late.drift, ...missing], pages.known + absent.known, pages.skipped);
    }
    return [...listed, ...missed];
  }

  return {
    async run(): Promise<void> {
      if (pineId === null) throw new ReadingError('script_refused');
      const since = await ctx.ledger.now();
      const members = await readComplete(pineId);
      const listed = await compare(pineId, members, since);
      if (mode === 'report') return;
      await throughPages(listed, since, `${token}.adopt`, true);
      await throughAbsent(since, `${token}.adopt`, true);
    },
  };
}
