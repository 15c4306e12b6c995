import { AsyncLocalStorage } from 'node:async_hooks';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { BoardQueue } from '@pinegate/queues';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { isAdmin } from './authenticate.ts';
import { ChunkAdapter, type ChunkLook } from './chunk-adapter.ts';
import type { DashboardContext } from './open-context.ts';

/** `/queues`: Bull Board over every lane of every account. Only an admin's requests may change anything. */
export function boardRoutes({ directory, ledger, queues, log }: DashboardContext): FastifyPluginAsync {
  const mayAct = new AsyncLocalStorage<boolean>();
  const adapters = new Map<string, BullMQAdapter>();

  return async (app) => {
    const serverAdapter = new FastifyAdapter();
    serverAdapter.setBasePath('/queues');
    const uiConfig = { boardTitle: 'Pinegate', hideRedisDetails: true };
    const board = createBullBoard({ queues: [], serverAdapter, options: { uiConfig } });

    async function refresh(): Promise<void> {
      const accounts = await directory.accounts.list();
      board.replaceQueues(queues.list(accounts.map(({ id }) => id)).map(adapterOf));
    }

    app.addHook('onRequest', (request, _reply, done) => mayAct.run(isAdmin(request.viewer), done));
    // Bull Board's own refusal goes queue by queue; this one also covers what it has for all queues at once.
    app.addHook('onRequest', async (request, reply) => {
      if (request.method === 'GET' || request.method === 'HEAD' || isAdmin(request.viewer)) return;
      return reply.code(403).send({ error: 'Only a key with the scope admin may act.' });
    });
    // Before the answer: what cannot be audited is not answered as done.
    app.addHook('onSend', async (request, reply) => {
      if (request.method === 'GET' || request.method === 'HEAD' || !isAdmin(request.viewer)) return;
      await auditAction(request, reply.statusCode);
    });

    // Accounts come and go: a small call, which says whether anything has changed.
    app.addHook('onRequest', async (request) => {
      if (request.url.startsWith('/queues/api/')) await refresh();
    });
    await refresh();
    await app.register(serverAdapter.registerPlugin());
  };

  async function auditAction({ method, url, ip, routeOptions, viewer }: FastifyRequest, status: number) {
    log.info({ method, route: routeOptions.url, keyId: viewer?.id }, 'an operator acted on a queue');
    await directory.audit.write({
      actor: viewer?.id ?? '',
      actorName: viewer?.name ?? '',
      address: ip,
      action: 'queue.act',
      target: decodeURIComponent(url.replace(/^\/queues\/api\//, '').split('?', 1)[0] ?? ''),
      reason: null,
      before: null,
      after: null,
      result: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
      code: status < 400 ? null : String(status),
    });
  }

  function lookAt({ account, lane }: NonNullable<BoardQueue['lane']>): ChunkLook {
    return {
      chunksOf: (jobs) => ledger.account(account).lookAtChunks(lane, jobs),
      scriptOf: async (index) => (await directory.scripts.nameOf(account, index)) ?? `#${index}`,
    };
  }

  function adapterOf(shown: BoardQueue): BullMQAdapter {
    const { name, queue, lane } = shown;
    let adapter = adapters.get(name);
    if (!adapter) {
      adapter = lane === null ? new BullMQAdapter(queue) : new ChunkAdapter(shown, lookAt(lane));
      Object.defineProperty(adapter, 'readOnlyMode', { get: () => mayAct.getStore() !== true });
      adapters.set(name, adapter);
    }
    return adapter;
  }
}
