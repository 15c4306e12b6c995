import type { Budget } from '@pinegate/budget';
import type { Directory, SessionResult } from '@pinegate/ledger';
import type { Logger } from '@pinegate/runtime';
import type { Session, TradingView } from '@pinegate/tradingview';
import { checkSession } from './check-session.ts';
import type { SessionGate } from './session-gate.ts';
import type { WorkerEvents } from './worker-events.ts';

const MOST_ROUNDS = 3;

/** Longer than a check can take: two permits and two requests. */
export const SUSPECT_MS = 25_000;

/** The cookies of one account in one process. */
export interface Login {
  /** The cookies to send with; null while there are none, or nothing may be sent. */
  session(): Session | null;
  /** The cookies there are, whether or not the gate is open. */
  cookies(): Session | null;
  load(): Promise<void>;
  /** Checks the cookies in force. */
  check(): Promise<SessionResult>;
  /** An answer to `session` looked as if it were dead: nothing is sent until one worker of all has found out. Never rejects. */
  suspect(session: Session): Promise<SessionResult>;
}

export interface LoginParts {
  readonly directory: Directory;
  readonly upstream: TradingView;
  readonly events: WorkerEvents;
  readonly log: Logger;
}

export function createLogin(parts: LoginParts, account: string, budget: Budget, gate: SessionGate): Login {
  const { directory, events, log } = parts;
  let current: { readonly session: Session; readonly postedAt: number } | null = null;
  let checking: Promise<SessionResult> | undefined;
  let suspecting: Promise<SessionResult> | undefined;

  async function load(): Promise<void> {
    const stored = await directory.sessions.get(account);
    if (!stored) {
      current = null;
    } else if (stored.postedAt !== current?.postedAt) {
      const { sessionid, sessionidSign } = stored.cookies;
      current = { session: Object.freeze({ account, sessionid, sessionidSign }), postedAt: stored.postedAt };
    }
  }

  async function runCheck(): Promise<SessionResult> {
    for (let round = 1; ; round++) {
      await load();
      if (!current) return 'unclear';
      const report = await checkSession({ ...parts, budget }, account, current.session, current.postedAt);
      // Whoever posted fresh cookies meanwhile waits for an answer about those.
      if (report.seen === 'replaced' && round < MOST_ROUNDS) continue;
      events.sessionChecked(account, report);
      return report.result;
    }
  }

  function check(): Promise<SessionResult> {
    checking ??= runCheck()
      .catch((err: unknown): SessionResult => {
        log.warn({ account, err }, 'the session could not be checked');
        return 'unclear';
      })
      .finally(() => {
        checking = undefined;
      });
    return checking;
  }

  async function runSuspicion(postedAt: number): Promise<SessionResult> {
    gate.suspect();
    const part = await directory.suspicions.raise(account, postedAt, SUSPECT_MS);
    if (part !== 'ask') return gate.concluded();
    const result = await check();
    await directory.suspicions.end(account, result);
    gate.conclude(result);
    return result;
  }

  return {
    session: () => (gate.open ? (current?.session ?? null) : null),
    cookies: () => current?.session ?? null,
    load,
    check,
    suspect(session) {
      // Of cookies that have been replaced since.
      if (session !== current?.session) return Promise.resolve('dead');
      suspecting ??= runSuspicion(current.postedAt)
        .catch((): SessionResult => {
          gate.conclude('unclear');
          return 'unclear';
        })
        .finally(() => {
          suspecting = undefined;
        });
      return suspecting;
    },
  };
}
