import { LANES } from '@pinegate/access';
import { perSecond, span } from './figures.ts';
import type { AccountOverview, BatchOverview, FailureOverview, Overview } from './read-overview.ts';

const BAR = 20;

/** The overview for a terminal: what the page shows, as text of a fixed width. */
export function overviewText({ at, accounts, batches, failures }: Overview): string {
  const head = ['account', 'state', 'session', 'settling', 'allowed', 'in flight', ...LANES];
  const lines = [
    `Pinegate, ${new Date(at).toISOString()}`,
    '',
    ...columns([head, ...accounts.map(accountCells)]),
    '',
    `Running batches: ${batches.length}`,
    ...columns(batches.map(batchCells)),
    '',
    `Last failures: ${failures.length}`,
    ...columns(failures.map(failureCells)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function accountCells(account: AccountOverview): string[] {
  const { id, state, reason, session, settlingPerSecond, rates, inFlight, maxInFlight, lanes } = account;
  const trouble = account.breakerOpen ? ' breaker open' : account.pausedMs > 0 ? ' 429' : '';
  return [
    id,
    reason === null ? state : `${state}: ${reason}`,
    session.state,
    `${settlingPerSecond}/s`,
    `${perSecond(rates.grant)} + ${perSecond(rates.revoke)}`,
    `${inFlight} of ${maxInFlight}${trouble}`,
    ...LANES.map((lane) => {
      const { pending, waitSeconds } = lanes[lane];
      return pending === 0 ? '0' : `${pending} (${span(waitSeconds)})`;
    }),
  ];
}

function batchCells({ id, state, total, pending, ratePerSecond, etaSeconds }: BatchOverview): string[] {
  const settled = total - pending;
  const bar = '#'.repeat(total === 0 ? 0 : Math.round((settled / total) * BAR)).padEnd(BAR, '.');
  return [
    id,
    state,
    `[${bar}]`,
    `${settled} of ${total}`,
    `${ratePerSecond}/s`,
    etaSeconds === null ? '?' : span(etaSeconds),
  ];
}

function failureCells({ at, account, script, username, outcome, code }: FailureOverview): string[] {
  return [new Date(at).toISOString(), account, username, `${outcome}: ${code}`, script];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
}
