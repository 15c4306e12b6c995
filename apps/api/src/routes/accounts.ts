import type { AccountConfig, AuditAction, AuditState } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { account, accountBody, resumeBody, sessionBody } from '../account-schemas.ts';
import { type AccountView, readAccount } from '../account-view.ts';
import type { ApiContext } from '../api-context.ts';
import { answerAudited, auditedAccount } from '../audited.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { resumeAccount } from '../resume-account.ts';
import { accountParams, pageOf, pageQuery, reasonBody, reasonQuery } from '../schemas.ts';

const PATH = '/v1/accounts';
const CHECK_MS = 5_000;
const tags = ['accounts'];

/** `/v1/accounts`. */
export function accountRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    addAccountRoutes(app, context);
    addSessionRoute(app, context);
    addStateRoutes(app, context);
  };
}

type App = Parameters<FastifyPluginAsyncZod>[0];

function addAccountRoutes(app: App, context: ApiContext): void {
  const { directory } = context;

  app.put(`${PATH}/:account`, {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Create or replace an account',
      description: 'Without cookies it is `parked`. What is left out gets its default.',
      params: accountParams,
      body: accountBody,
      response: { 200: account.describe('Replaced'), 201: account.describe('Created') },
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'account.put'), async (entry) => {
        const id = request.params.account;
        const { reason: _said, ...config } = request.body;
        entry.before = await stateOf(context, id);
        await refuseLosingPending(context, id, config);
        const { account: saved, created } = await directory.accounts.put(id, config);
        entry.after = auditedAccount(saved);
        return { status: created ? 201 : 200, body: await readAccount(context, saved) };
      }),
  });

  app.get(`${PATH}/:account`, {
    config: { scope: 'admin' },
    schema: { tags, summary: 'Read an account', params: accountParams, response: { 200: account } },
    handler: async ({ params }) => readKnown(context, params.account),
  });

  app.get(PATH, {
    config: { scope: 'admin' },
    schema: { tags, summary: 'List the accounts', querystring: pageQuery, response: { 200: pageOf(account) } },
    handler: async ({ query }) => {
      const after = decodeCursor(query.cursor) ?? '';
      const found = (await directory.accounts.list()).filter(({ id }) => id > after);
      const page = found.slice(0, query.limit);
      const items = await Promise.all(page.map((known) => readAccount(context, known)));
      return { items, next: encodeCursor(found.length > page.length ? (page.at(-1)?.id ?? null) : null) };
    },
  });

  app.delete(`${PATH}/:account`, {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Remove an account and its cookies',
      params: accountParams,
      querystring: reasonQuery,
      body: reasonBody,
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'account.remove'), async (entry) => {
        const id = request.params.account;
        entry.before = await stateOf(context, id);
        const known = await readKnown(context, id);
        if (known.pending > 0) throw accountPending(`${known.pending} operations of the account are pending.`);
        if (!(await directory.accounts.remove(id))) throw unknownAccount(id);
        return { status: 204, body: undefined };
      }),
  });
}

function addSessionRoute(app: App, context: ApiContext): void {
  const { directory, sessions } = context;

  app.put(`${PATH}/:account/session`, {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Post fresh cookies',
      description:
        'They are stored encrypted and never shown. A worker checks them, which ends a park; this waits up to 5 s for it.',
      params: accountParams,
      body: sessionBody,
      response: { 200: account },
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'session.put'), async (entry) => {
        const id = request.params.account;
        const { sessionid, sessionidSign = null } = request.body;
        entry.before = await stateOf(context, id);
        if ((await directory.sessions.put(id, { sessionid, sessionidSign })) === null) throw unknownAccount(id);
        const checked = await sessions.check(id, CHECK_MS);
        if (checked === null) throw unknownAccount(id);
        entry.after = auditedAccount(checked);
        return { status: 200, body: await readAccount(context, checked) };
      }),
  });
}

function addStateRoutes(app: App, context: ApiContext): void {
  const { directory } = context;

  app.post(`${PATH}/:account/pause`, {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Stop all requests of an account',
      description: 'Its operations are still accepted, and wait.',
      params: accountParams,
      body: reasonBody,
      response: { 200: account },
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'account.pause'), async (entry) => {
        const id = request.params.account;
        entry.before = await stateOf(context, id);
        const paused = await directory.accounts.setState(id, 'paused', 'operator');
        if (paused === null) throw unknownAccount(id);
        entry.after = auditedAccount(paused);
        return { status: 200, body: await readAccount(context, paused) };
      }),
  });

  app.post(`${PATH}/:account/resume`, {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Let an account go on',
      description:
        'Without a working session it is `parked` instead, until fresh cookies are posted. After a restore of Redis each script must have been refreshed in mode adopt, or `acknowledgeRestore` be true.',
      params: accountParams,
      body: resumeBody,
      response: { 200: account },
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'account.resume'), async (entry) => {
        const id = request.params.account;
        const known = await directory.accounts.get(id);
        if (known === null) throw unknownAccount(id);
        entry.before = auditedAccount(known);
        const resumed = await resumeAccount(context, known, request.body?.acknowledgeRestore === true);
        if (resumed === null) throw unknownAccount(id);
        entry.after = auditedAccount(resumed);
        return { status: 200, body: await readAccount(context, resumed) };
      }),
  });
}

function actionOn(request: { readonly params: { readonly account: string } }, action: AuditAction) {
  return { action, target: request.params.account };
}

async function stateOf({ directory }: ApiContext, id: string): Promise<AuditState | null> {
  const known = await directory.accounts.get(id);
  return known === null ? null : auditedAccount(known);
}

async function readKnown(context: ApiContext, id: string): Promise<AccountView> {
  const known = await context.directory.accounts.get(id);
  if (known === null) throw unknownAccount(id);
  return readAccount(context, known);
}

// A script that an account loses must have nothing pending: nobody would work on it any more.
async function refuseLosingPending({ directory, ledger }: ApiContext, id: string, { scripts }: AccountConfig) {
  const known = await directory.accounts.get(id);
  const lost = known?.scripts.filter((script) => !scripts.includes(script)) ?? [];
  if (lost.length === 0) return;
  const account = ledger.account(id);
  const { pending } = await account.summary();
  if (Object.values(pending).every((count) => count === 0)) return;
  for (const script of lost) {
    const route = await directory.scripts.resolve(script);
    if (route === null || route.account !== id) continue;
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: { items: readonly unknown[]; next: string | null } = await account.listAccess(
        route.index,
        cursor,
        1,
        'pending',
      );
      if (page.items.length > 0) throw accountPending(`Operations of ${script} are pending.`);
      cursor = page.next;
    }
  }
}

function accountPending(detail: string): Problem {
  return new Problem('account_pending', `${detail} Let them settle, or cancel them, first.`);
}

function unknownAccount(id: string): Problem {
  return new Problem('unknown_account', `There is no account ${id}.`);
}
