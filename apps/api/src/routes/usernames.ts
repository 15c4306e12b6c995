import { cleanUsername } from '@pinegate/access';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { usernameOf } from '../find-access.ts';
import { preferredWaitMs } from '../prefer-wait.ts';
import { username, usernameParams, usernamesBody } from '../schemas.ts';
import type { UsernameView } from '../username-checks.ts';

const WAIT_MS = 5_000;
const tags = ['usernames'];
const description =
  'Waits up to 5 s (`Prefer: wait=N`) for a look-up by a worker; `exists` is null where that was not enough.';

/** `/v1/usernames`. */
export function usernameRoutes({ usernames }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/usernames/:username', {
      config: { scope: 'read' },
      schema: { tags, summary: 'Look a username up', description, params: usernameParams, response: { 200: username } },
      handler: async (request, reply) => {
        const name = usernameOf(request.params.username);
        const [view] = await usernames.check([name], preferredWaitMs(request, reply, WAIT_MS));
        return view ?? unknownName(name);
      },
    });

    app.post('/v1/usernames/validate', {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'Look up to 1,000 usernames up',
        description,
        body: usernamesBody,
        response: { 200: z.object({ results: z.array(username).describe('In the order of the names') }) },
      },
      handler: async (request, reply) => {
        const cleaned = request.body.usernames.map(cleanUsername);
        const names = cleaned.filter((name) => name !== null);
        const views = [...(await usernames.check(names, preferredWaitMs(request, reply, WAIT_MS)))];
        const results = cleaned.map((name, at) => {
          // What cannot be a username is nobody's.
          if (name === null) return { ...unknownName(request.body.usernames[at] ?? ''), exists: false };
          return views.shift() ?? unknownName(name);
        });
        return { results };
      },
    });
  };
}

function unknownName(name: string): UsernameView {
  return { username: name, exists: null, cached: false, checkedAt: null };
}
