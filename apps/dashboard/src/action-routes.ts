import { type AuditAction, type AuditState, redriveBatch } from '@pinegate/ledger';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isAdmin } from './authenticate.ts';
import { requireCsrf } from './csrf.ts';
import type { DashboardContext } from './open-context.ts';
import { buildRing } from './ring.ts';

const accountParams = z.object({ account: z.string().regex(/^[a-z0-9-]{1,32}$/) });
const reasonForm = z.object({ reason: z.string().max(500).default('') });
const redriveForm = z.object({
  account: z.string().regex(/^[a-z0-9-]{1,32}$/),
  part: z.string().min(1).max(200),
  kind: z.enum(['single', 'batch']),
});

interface Done {
  readonly before: AuditState | null;
  readonly after: AuditState | null;
}

/** What operators do on the overview: pause and resume accounts, redrive failures. Audited, and refused to viewers. */
export function actionRoutes(context: DashboardContext): FastifyPluginAsync {
  const { directory, ledger, log } = context;
  const ring = buildRing(context.bells, log);

  async function audit(request: FastifyRequest, action: AuditAction, target: string, done: Done | null): Promise<void> {
    const { id, name } = request.viewer ?? { id: '', name: '' };
    const reason = reasonForm.safeParse(request.body).data?.reason || null;
    const { before, after } = done ?? { before: null, after: null };
    const result = done === null ? 'refused' : 'done';
    const who = { actor: id, actorName: name, address: request.ip };
    const code = done === null ? 'unknown' : null;
    await directory.audit.write({ ...who, action, target, reason, before, after, result, code });
    log.info({ action, keyId: id, account: target, outcome: result }, 'an operator acted');
  }

  return async (app) => {
    app.addHook('preHandler', async (request, reply) => {
      if (isAdmin(request.viewer)) return;
      return reply.code(403).type('text/plain; charset=utf-8').send('Only a key with the scope admin may act.');
    });
    app.addHook('preHandler', requireCsrf);

    app.post('/accounts/:account/pause', async (request, reply) => {
      const { account } = accountParams.parse(request.params);
      const before = await directory.accounts.get(account);
      const after = before && (await directory.accounts.setState(account, 'paused', 'operator'));
      const done = before && after ? { before: { state: before.state }, after: { state: after.state } } : null;
      await audit(request, 'account.pause', account, done);
      return reply.redirect('/', 303);
    });

    app.post('/accounts/:account/resume', async (request, reply) => {
      const { account } = accountParams.parse(request.params);
      const before = await directory.accounts.get(account);
      // What anything but an operator has stopped goes on over the API, which asks what that needs.
      const mayGoOn = before?.state === 'paused' && before.reason === 'operator';
      const dead = before?.session.state === 'dead';
      const to = dead ? 'parked' : 'active';
      const after = mayGoOn
        ? await directory.accounts.setState(account, to, dead ? 'session_dead' : null, ['paused'])
        : null;
      const done = before && after ? { before: { state: before.state }, after: { state: after.state } } : null;
      await audit(request, 'account.resume', account, done);
      return reply.redirect('/', 303);
    });

    app.post('/redrive', async (request, reply) => {
      const { account, part, kind } = redriveForm.parse(request.body);
      if (kind === 'batch') {
        const redriven = await redriveBatch({ directory, ledger, ring }, part);
        const done = typeof redriven === 'number' ? { before: null, after: { redriven } } : null;
        await audit(request, 'batch.retry', part, done);
      } else {
        const { redriven, bells } = await ledger.account(account).redrivePart(part);
        await ring(account, bells);
        await audit(request, 'access.retry', part, { before: null, after: { redriven } });
      }
      return reply.redirect('/', 303);
    });
  };
}
