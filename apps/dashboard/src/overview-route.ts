import type { Account, LedgerSummary } from '@pinegate/ledger';
import type { FastifyPluginAsync } from 'fastify';
import { isAdmin } from './authenticate.ts';
import { type Html, html, page } from './html.ts';
import type { Viewer } from './login-sessions.ts';
import type { DashboardContext } from './open-context.ts';

type Row = { readonly account: Account; readonly pending: LedgerSummary['pending'] };

const LANES = ['grant', 'revoke', 'grant-bulk', 'revoke-bulk'] as const;

/** `/`: what is the matter with each account. */
export function overviewRoute({ directory, ledger, apiUrl }: DashboardContext): FastifyPluginAsync {
  return async (app) => {
    app.get('/', async ({ viewer }, reply) => {
      const accounts = await directory.accounts.list();
      const summaries = await Promise.all(accounts.map(({ id }) => ledger.account(id).summary()));
      const rows = accounts.flatMap((account, index) => {
        const summary = summaries[index];
        return summary === undefined ? [] : [{ account, pending: summary.pending }];
      });
      return reply.type('text/html; charset=utf-8').send(page('Overview', overview(rows, viewer, apiUrl)));
    });
  };
}

function overview(rows: readonly Row[], viewer: Viewer | null, apiUrl: string): Html {
  const who = viewer === null ? '' : `${viewer.name} (${isAdmin(viewer) ? 'may act' : 'may look'})`;
  return html`<header><h1>Pinegate</h1><a href="/queues">Queues</a> <a href="${apiUrl}/docs">API docs</a>
<form method="post" action="/logout">${who} <button>Log out</button></form></header>
<table><thead><tr><th>Account</th><th>State</th><th>Session</th><th>Scripts</th>
${LANES.map((lane) => html`<th class="number">${lane}</th>`)}</tr></thead>
<tbody>${rows.map(accountRow)}</tbody></table>
${rows.length === 0 ? html`<p>There is no account yet: <code>PUT /v1/accounts/{account}</code> makes one.</p>` : []}
<p>The numbers are operations that have not settled yet, by lane.</p>`;
}

function accountRow({ account, pending }: Row): Html {
  const { id, state, reason, session, scripts } = account;
  const checked = session.checkedAt === null ? '' : `, checked ${new Date(session.checkedAt).toISOString()}`;
  return html`<tr><td>${id}</td><td><span class="${state}">${state}</span>${reason === null ? '' : `: ${reason}`}</td>
<td><span class="${session.state}">${session.state}</span>${checked}</td><td>${scripts.length}</td>
${LANES.map((lane) => html`<td class="number">${pending[lane]}</td>`)}</tr>
`;
}
