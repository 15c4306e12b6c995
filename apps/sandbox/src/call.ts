import type { Account } from './accounts.ts';
import type { Ending } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Form } from './form.ts';
import type { Endpoint } from './options.ts';
import type { Parts } from './parts.ts';

/** One request in flight. */
export type Call = {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  /** Null where the body was no form. */
  readonly form: Form | null;
  /** Whose cookies it carries, the session alive or not; `signed` is false without the sign cookie it should carry. */
  readonly owner: { readonly account: Account; readonly signed: boolean } | null;
  /** `anonymous` without known cookies. */
  readonly accountId: string;
  readonly arrivedAt: number;
  readonly overlap: boolean;
  /** Gives back what the request holds; the first call counts. */
  finish(ending: Ending): void;
  /** Called by `finish`. */
  holds(release: () => void): void;
};

const NO_WRITE = { overlap: false, leave() {} };

/** Counts a request in, until it is answered or its client has gone. */
export function enterCall(exchange: Exchange, endpoint: Endpoint, form: Form | null, parts: Parts): Call {
  const owner = parts.accounts.ofCookies(exchange.headers.cookie);
  const accountId = owner?.account.id ?? 'anonymous';
  const leave = parts.counters.enter(endpoint, accountId);
  const isWrite = endpoint === 'add' || endpoint === 'modify' || endpoint === 'remove';
  const username = form?.username_recip ?? null;
  const write = isWrite ? parts.counters.enterWrite(`${form?.pine_id} ${username?.toLowerCase()}`) : NO_WRITE;
  const releases: (() => void)[] = [write.leave];
  let finished = false;

  function finish(ending: Ending): void {
    if (finished) return;
    finished = true;
    leave(ending);
    for (const release of releases) release();
  }

  parts.events.emit({ kind: 'request', endpoint, account: accountId, username });
  exchange.onGone(() => {
    finish('hung');
    parts.events.emit({ kind: 'gone', endpoint, account: accountId });
  });
  return {
    endpoint,
    exchange,
    form,
    owner,
    accountId,
    arrivedAt: parts.now(),
    overlap: write.overlap,
    finish,
    holds: (release) => (finished ? release() : void releases.push(release)),
  };
}
