import type { AccessState } from '@pinegate/access';
import { DRIFT_KINDS, type Drift, type DriftKind, type Ledger, type RefreshRun } from '@pinegate/ledger';
import type { z } from 'zod';
import { isoTime, isoTimeOrNull } from './access-view.ts';
import type { drift, refresh } from './refresh-schemas.ts';

/** A refresh as the API shows it. */
export type RefreshView = z.output<typeof refresh>;

/** How many entries of each kind of drift are shown with the refresh itself. */
const SHOWN = 100;

const DETAILS: Readonly<Record<string, string>> = {
  list_cut: 'A page of the list could not be read, however often it was asked for.',
  list_repeats: 'The pages of the list lead back to one that was read before.',
  list_changed: 'The list changed while it was read, three times in a row.',
  session_dead: 'TradingView does not accept the cookies of the account.',
  script_refused: 'TradingView says that the account does not have this script.',
};

/** The account in the id of a refresh; null where it cannot be one. */
export function accountOfRefresh(id: string): string | null {
  const [account = '', rest = ''] = id.split('.', 2);
  return /^[a-z0-9-]{1,32}$/.test(account) && /^[A-Za-z0-9_-]{22}$/.test(rest) ? account : null;
}

/** Reads a refresh with the first entries of its drift; null where there is none, or its retention is over. */
export async function readRefresh(ledger: Ledger, id: string, script: (index: number) => Promise<string | null>) {
  const account = accountOfRefresh(id);
  if (account === null) return null;
  const { refreshes } = ledger.account(account);
  const run = await refreshes.read(id);
  if (run === null) return null;
  const lists = await Promise.all(DRIFT_KINDS.map((kind) => refreshes.drift(id, kind, null, SHOWN)));
  return viewRefresh(run, (await script(run.script)) ?? '', (kind) => lists[DRIFT_KINDS.indexOf(kind)]?.items ?? []);
}

function viewRefresh(run: RefreshRun, script: string, entries: (kind: DriftKind) => readonly Drift[]): RefreshView {
  const { id, mode, state, code, pages, members, compared, known, skipped } = run;
  const kind = (name: DriftKind) => ({ count: run.drift[name], items: entries(name).map(viewDrift) });
  return {
    id,
    script,
    mode,
    state,
    progress: { pages, members },
    drift: compared
      ? { missing: kind('missing'), surplus: kind('surplus'), otherExpiry: kind('otherExpiry'), known, skipped }
      : null,
    error: code === null ? null : { code, detail: DETAILS[code] ?? 'The list was not read to its end.' },
    createdAt: isoTime(run.createdAt),
    startedAt: isoTimeOrNull(run.startedAt),
    endedAt: isoTimeOrNull(run.endedAt),
  };
}

/** One access that differs, as the API shows it. */
export function viewDrift({ username, ledger, upstream }: Drift): z.output<typeof drift> {
  return { username, ledger: viewState(ledger), upstream: viewState(upstream) };
}

function viewState(state: AccessState) {
  return { state: state.state, expiresAt: state.state === 'granted' ? isoTimeOrNull(state.expiresAt) : null };
}
