import type { ListedKey } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { isoTime, isoTimeOrNull } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts';
import { apiKey, createdKey, keyBody, rotateBody, rotatedKey } from '../key-schemas.ts';
import { Problem } from '../problem.ts';
import { keyParams, pageOf, pageQuery, reasonBody, reasonQuery } from '../schemas.ts';

const tags = ['keys'];
const DAY_S = 86_400;

/** `/v1/keys`. */
export function keyRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { directory } = context;
  async function known(id: string): Promise<KeyView | null> {
    const key = (await directory.keys.list()).find((listed) => listed.id === id);
    return key === undefined ? null : viewKey(key);
  }
  return async (app) => {
    app.post('/v1/keys', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Create an API key',
        description: 'A scope includes no other one.',
        body: keyBody,
        response: { 201: createdKey },
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.create', target: request.body.name }, async (entry) => {
          const { name, scopes, expiresAt, ratePerSecond } = request.body;
          const { key, secret } = await directory.keys.create(name, scopes, { expiresAt, ratePerSecond });
          const {
            lastUsedAt: _used,
            overlapUntil: _overlap,
            ...view
          } = viewKey({ ...key, lastUsedAt: null, overlapUntil: null });
          Object.assign(entry, { target: key.id, after: view });
          // The key itself is kept nowhere, not even for a repetition of this request.
          return { status: 201, body: { ...view, key: secret }, stored: { ...view, key: null } };
        }),
    });

    app.get('/v1/keys', {
      config: { scope: 'admin' },
      schema: { tags, summary: 'List the API keys', querystring: pageQuery, response: { 200: pageOf(apiKey) } },
      handler: async ({ query }) => {
        const keys = await directory.keys.list();
        const cursor = decodeCursor(query.cursor) ?? '0';
        if (!/^\d{1,9}$/.test(cursor)) throw invalidCursor();
        const from = Number(cursor);
        const end = from + query.limit;
        return {
          items: keys.slice(from, end).map(viewKey),
          next: encodeCursor(end < keys.length ? String(end) : null),
        };
      },
    });

    app.put('/v1/keys/:key', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Change what an API key is called, may do, and until when',
        description: 'Takes effect within 5 s. What is left out gets its default.',
        params: keyParams,
        body: keyBody,
        response: { 200: apiKey },
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.put', target: request.params.key }, async (entry) => {
          const { reason: _said, ...settings } = request.body;
          entry.before = await known(request.params.key);
          if ((await directory.keys.change(request.params.key, settings)) === null) throw unknownKey();
          const after = (await known(request.params.key)) ?? (entry.before as KeyView);
          entry.after = after;
          return { status: 200, body: after };
        }),
    });

    app.post('/v1/keys/:key/rotate', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Give an API key a new secret',
        description:
          'The key keeps its id, scopes and limit. The secret before it works for `overlapSeconds` more (a day), so that clients can be changed one by one; any older one ends at once. Known everywhere within 5 s.',
        params: keyParams,
        body: rotateBody,
        response: { 201: rotatedKey },
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.rotate', target: request.params.key }, async (entry) => {
          const overlapMs = (request.body?.overlapSeconds ?? DAY_S) * 1_000;
          const rotated = await directory.keys.rotate(request.params.key, overlapMs);
          if (rotated === null) throw unknownKey();
          const { lastUsedAt: _used, ...view } = viewKey({
            ...rotated.key,
            lastUsedAt: null,
            overlapUntil: rotated.overlapUntil,
          });
          entry.after = { overlapUntil: view.overlapUntil };
          return { status: 201, body: { ...view, key: rotated.secret }, stored: { ...view, key: null } };
        }),
    });

    app.delete('/v1/keys/:key', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Revoke an API key',
        description: 'Takes effect within 5 s.',
        params: keyParams,
        querystring: reasonQuery,
        body: reasonBody,
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.remove', target: request.params.key }, async (entry) => {
          entry.before = await known(request.params.key);
          const removed = await directory.keys.remove(request.params.key);
          if (!removed) throw unknownKey();
          return { status: 204, body: undefined };
        }),
    });
  };
}

type KeyView = ReturnType<typeof viewKey>;

function viewKey({ id, name, scopes, createdAt, expiresAt, ratePerSecond, lastUsedAt, overlapUntil }: ListedKey) {
  return {
    id,
    name,
    scopes: [...scopes],
    createdAt: isoTime(createdAt),
    expiresAt: isoTimeOrNull(expiresAt),
    ratePerSecond,
    lastUsedAt: isoTimeOrNull(lastUsedAt),
    overlapUntil: isoTimeOrNull(overlapUntil),
  };
}

function unknownKey(): Problem {
  return new Problem('unknown_key', 'There is no API key with this id.');
}
