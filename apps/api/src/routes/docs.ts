import swagger from '@fastify/swagger';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { CSV_TYPE, NDJSON_TYPES } from '../batches/post-batch.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { PROBLEMS } from '../problem-codes.ts';
import { documentedBatchBody, noBody, problem } from '../schemas.ts';

/** Describes every route that is registered after this one, at `/openapi.json` and, for people, at `/docs`. */
export async function addDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Pinegate', version: '0.1.0', description: introduction() },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
          header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
      tags: TAGS,
    },
    transform: (route) => {
      const streams = isByMediaType(route.schema?.body);
      const body = streams ? documentedBatchBody : route.schema?.body === noBody ? undefined : route.schema?.body;
      const scope = route.route.config?.scope;
      const schema = scope === undefined ? { ...route.schema, body } : addScope({ ...route.schema, body }, scope);
      const described = jsonSchemaTransform({ ...route, schema });
      return streams ? addStreams(described) : described;
    },
    transformObject: jsonSchemaTransformObject,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.register(apiReference, {
    routePrefix: '/docs',
    configuration: { title: 'Pinegate', url: '/openapi.json', withDefaultFonts: false, telemetry: false },
  });
}

type Described = ReturnType<typeof jsonSchemaTransform>;

function isByMediaType(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'content' in body;
}

const PROBLEM = { description: 'A problem', content: { [PROBLEM_TYPE]: { schema: problem } } };

// What is the same for all routes with a scope.
function addScope(schema: FastifySchema, scope: string): FastifySchema {
  return {
    ...schema,
    security: [{ bearer: [] }, { header: [] }],
    description: `${schema.description ?? ''}\n\nNeeds the scope \`${scope}\`.`.trim(),
    response: { ...(schema.response as object | undefined), default: PROBLEM },
  };
}

// Bodies that are read row by row, which zod cannot describe.
function addStreams({ schema, url }: Described): Described {
  const rows = { schema: { type: 'string', description: 'Rows; see the description of the route' } };
  const content = {
    'application/json': { schema: schema.body },
    [CSV_TYPE]: rows,
    [NDJSON_TYPES[0] ?? '']: rows,
  };
  return { schema: { ...schema, body: { content } }, url };
}

const TAGS = [
  { name: 'access', description: 'Access of users to scripts' },
  { name: 'operations', description: 'Single operations' },
  { name: 'batches', description: 'Many operations at once' },
  { name: 'usernames', description: 'Who exists, and how they spell themselves' },
  { name: 'scripts', description: 'Scripts of all accounts' },
  { name: 'refreshes', description: 'Reading whole member lists' },
  { name: 'accounts', description: 'Logins of authors: scripts, budgets, cookies' },
  { name: 'flags', description: 'What is switched on' },
  { name: 'keys', description: 'API keys' },
  { name: 'audit', description: 'Who did what, when and why' },
  { name: 'health', description: 'For machines; no key needed' },
];

function introduction(): string {
  const codes = Object.entries(PROBLEMS).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`);
  return `Grants and revokes TradingView users' access to invite-only scripts.

Writes are accepted (202), wait for their turn and settle; read the access, the operation or the batch to see what came of them.

**Idempotency.** Send an \`Idempotency-Key\` with every write: sent again with the same body, it answers as the first time
(\`Idempotency-Replayed: true\`); with another body 422; while the first is running 409; where the first died, it goes on. A key belongs
to the API key, the method, the path, the query and the body. An operation that extends needs one.

**Lists** page by \`?limit=\` (100, at most 1,000) and \`?cursor=\`, and answer \`{"items":[…],"next":…}\`.

**Bodies** are \`application/json\`; a batch may also be \`${NDJSON_TYPES[0]}\` or \`${CSV_TYPE}\`. Unknown fields are refused.

**Errors** are \`${PROBLEM_TYPE}\` (RFC 9457) with one of these codes; rejected rows of a batch carry them too:

| code | status | meaning |
|---|---|---|
${codes.join('\n')}`;
}
