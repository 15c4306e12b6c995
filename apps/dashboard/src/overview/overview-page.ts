import { LANES } from '@pinegate/access';
import { isAdmin } from '../authenticate.ts';
import { type Html, html, page } from '../html.ts';
import type { Viewer } from '../login-sessions.ts';
import { perSecond, span } from './figures.ts';
import type { AccountOverview, BatchOverview, FailureOverview, Overview } from './read-overview.ts';

/** Who looks, and what lets their browser act. */
export interface PageViewer {
  readonly viewer: Viewer | null;
  readonly csrf: string;
  readonly apiUrl: string;
}

/** The first page: what is the matter with each account, what runs, what failed. */
export function overviewPage(overview: Overview, who: PageViewer): string {
  const { viewer, csrf, apiUrl } = who;
  const name = viewer === null ? '' : `${viewer.name} (${isAdmin(viewer) ? 'operator' : 'viewer'})`;
  const acts = isAdmin(viewer) ? csrf : null;
  const body = html`<header><h1>Pinegate</h1><nav><a href="/queues">Queues</a> <a href="${apiUrl}/docs">API docs</a>
<a href="${apiUrl}/metrics">Metrics of the API</a> <a href="/metrics">of the dashboard</a></nav>
<form method="post" action="/logout">${name} <button>Log out</button></form></header>
<main id="live">
<h2>Accounts</h2>
${overview.accounts.length === 0 ? html`<p>There is no account yet: <code>PUT /v1/accounts/{account}</code> makes one.</p>` : accountTable(overview.accounts, acts)}
<h2>Running batches</h2>
${overview.batches.length === 0 ? html`<p>None.</p>` : batchTable(overview.batches)}
<h2>Last failures</h2>
${overview.failures.length === 0 ? html`<p>None.</p>` : failureTable(overview.failures, acts)}
<p class="note">As of <time>${new Date(overview.at).toISOString()}</time>.</p>
</main><script src="/live.js"></script>`;
  return page('Overview', body);
}

function accountTable(accounts: readonly AccountOverview[], acts: string | null): Html {
  return html`<table><thead><tr><th>Account</th><th>State</th><th>Session</th><th>Settling, allowed</th>
${LANES.map((lane) => html`<th class="number">${lane}</th>`)}${acts === null ? [] : html`<th></th>`}</tr></thead>
<tbody>${accounts.map((account) => accountRow(account, acts))}</tbody></table>
<p class="note">Pending operations by lane, and how long the oldest waits; allowed are grants and revokes a second.</p>`;
}

function accountRow(account: AccountOverview, acts: string | null): Html {
  const { id, state, reason, session, scripts, lanes, inFlight, maxInFlight } = account;
  const checked =
    session.checkedAt === null ? [] : html`<br><small>${new Date(session.checkedAt).toISOString()}</small>`;
  return html`<tr data-account="${id}"><td><b>${id}</b><br><small>${scripts} scripts</small></td>
<td><span class="${state}">${state}</span>${reason === null ? [] : html`<br><small>${reason}</small>`}</td>
<td><span class="${session.state}">${session.state}</span>${checked}</td>
<td>${account.settlingPerSecond}/s of ${perSecond(account.rates.grant)} + ${perSecond(account.rates.revoke)}<br>
<small>${inFlight} of ${maxInFlight} in flight${trouble(account)}</small></td>
${LANES.map((lane) => laneCell(lanes[lane]))}${acts === null ? [] : html`<td>${stateForm(account, acts)}</td>`}</tr>
`;
}

function trouble({ breakerOpen, pausedMs }: AccountOverview): Html | string {
  if (breakerOpen) return html`, <b class="dead">breaker open</b>`;
  return pausedMs > 0 ? html`, <b class="paused">paused ${span(pausedMs / 1_000)} by a 429</b>` : '';
}

function laneCell({ pending, waitSeconds }: AccountOverview['lanes']['grant']): Html {
  return html`<td class="number">${pending}${pending > 0 ? html`<br><small>${span(waitSeconds)}</small>` : []}</td>`;
}

function stateForm({ id, state, reason }: AccountOverview, csrf: string): Html | string {
  if (state === 'paused' && reason !== 'operator') return '';
  const action = state === 'paused' ? 'resume' : 'pause';
  return html`<form method="post" action="/accounts/${id}/${action}"><input type="hidden" name="csrf" value="${csrf}">
<input class="reason" name="reason" maxlength="500" placeholder="reason" aria-label="Reason"><button>${action}</button></form>`;
}

function batchTable(batches: readonly BatchOverview[]): Html {
  return html`<table><thead><tr><th>Batch</th><th>State</th><th>Progress</th><th class="number">Settled</th><th class="number">Rate</th>
<th class="number">Left</th><th>Outcomes</th></tr></thead><tbody>${batches.map(batchRow)}</tbody></table>`;
}

function batchRow({ id, state, total, pending, outcomes, ratePerSecond, etaSeconds }: BatchOverview): Html {
  const counted = Object.entries(outcomes).filter(([, count]) => count > 0);
  const settled = total - pending;
  return html`<tr data-batch="${id}"><td><code>${id}</code></td><td>${state}</td>
<td><progress max="${Math.max(1, total)}" value="${settled}"></progress></td><td class="number">${settled} of ${total}</td>
<td class="number">${ratePerSecond}/s</td><td class="number">${etaSeconds === null ? '?' : span(etaSeconds)}</td>
<td>${counted.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}</td></tr>
`;
}

function failureTable(failures: readonly FailureOverview[], acts: string | null): Html {
  return html`<table><thead><tr><th>When</th><th>Account</th><th>Script</th><th>User</th><th>Why</th><th>Part of</th>
${acts === null ? [] : html`<th></th>`}</tr></thead><tbody>${failures.map((failure) => failureRow(failure, acts))}</tbody></table>`;
}

function failureRow(failure: FailureOverview, acts: string | null): Html {
  const { account, script, username, outcome, code, at, part, kind, redrivable } = failure;
  return html`<tr data-part="${part}"><td>${new Date(at).toISOString()}</td><td>${account}</td><td><code>${script}</code></td>
<td>${username}</td><td><span class="${outcome}">${outcome}</span>: ${code}</td><td>${kind} <code>${part}</code></td>
${acts === null ? [] : html`<td>${redrivable ? redriveForm(failure, acts) : ''}</td>`}</tr>
`;
}

function redriveForm({ account, part, kind }: FailureOverview, csrf: string): Html {
  return html`<form method="post" action="/redrive"><input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="account" value="${account}"><input type="hidden" name="part" value="${part}">
<input type="hidden" name="kind" value="${kind}"><button>redrive</button></form>`;
}
