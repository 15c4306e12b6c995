import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsync } from 'fastify';
import { csrfToken } from '../csrf.ts';
import type { DashboardContext } from '../open-context.ts';
import { overviewPage } from './overview-page.ts';
import { overviewText } from './overview-text.ts';
import { buildOverviewReader } from './read-overview.ts';

/** `/`, the same as text (`/overview.txt`) and as data (`/overview.json`), and the script that keeps the page up to date. */
export function overviewRoutes(context: DashboardContext): FastifyPluginAsync {
  const { directory, ledger, budgets, apiUrl } = context;
  const read = buildOverviewReader({ directory, ledger, budgets, now: Date.now });
  return async (app) => {
    const live = await readFile(new URL('live.js', import.meta.url), 'utf8');
    app.get('/', async (request, reply) => {
      const markup = overviewPage(await read(), { viewer: request.viewer, csrf: csrfToken(request), apiUrl });
      return reply.type('text/html; charset=utf-8').send(markup);
    });
    app.get('/overview.json', async () => read());
    app.get('/overview.txt', async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(overviewText(await read())),
    );
    app.get('/live.js', async (_request, reply) => reply.type('text/javascript; charset=utf-8').send(live));
  };
}
