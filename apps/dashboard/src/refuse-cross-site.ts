import type { FastifyInstance } from 'fastify';

/**
 * Refuses what a browser says another site has caused; another port of this host may only link here. A request without
 * Sec-Fetch-Site comes from no browser and passes.
 */
export function refuseCrossSite(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const site = request.headers['sec-fetch-site'];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (site === undefined || site === 'same-origin' || site === 'none' || (site === 'same-site' && isRead)) return;
    return reply.code(403).type('text/plain; charset=utf-8').send('Another site caused this request.');
  });
}
