/** The local API: Fastify on a unix socket that only its owner may open. */
import { chmod, rm } from 'node:fs/promises';
import { AppError, ROUTES, type RouteName, type Routes } from '@helixmesh/protocol';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BODY_MAX_BYTES } from './limits.ts';
import { parseInput, sendProblem, toAppError } from './problem.ts';

type Input<N extends RouteName> = {
  readonly params: z.infer<Routes[N]['params']>;
  readonly query: z.infer<Routes[N]['query']>;
  readonly body: Routes[N]['body'] extends z.ZodType ? z.infer<Routes[N]['body']> : null;
};

/** One function for each route; what it answers is checked against the route's schema. */
export type Handlers = {
  readonly [N in RouteName]: (input: Input<N>) => Promise<z.input<Routes[N]['reply']>>;
};

export interface ApiServer {
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly socketPath: string;
  readonly handlers: Handlers;
  /** Prometheus text; null where the settings want none. */
  readonly metrics: (() => Promise<string>) | null;
  readonly onError: (error: AppError) => void;
}

export async function serveApi(options: ApiOptions): Promise<ApiServer> {
  const server = Fastify({ bodyLimit: BODY_MAX_BYTES, exposeHeadRoutes: false });
  // An empty POST with a JSON content type is a request without a body.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? null : JSON.parse(text as string));
    } catch {
      done(new AppError('USAGE', 'the request body is not JSON', { hint: 'Send a JSON object.' }));
    }
  });
  for (const name of Object.keys(ROUTES) as RouteName[]) addRoute(server, name, options.handlers);
  const { metrics } = options;
  if (metrics !== null) {
    server.get('/metrics', async (_request, reply) =>
      reply.type('text/plain').send(await metrics()),
    );
  }
  server.setNotFoundHandler((_request, reply) => {
    sendProblem(reply, new AppError('NOT_FOUND', 'no such route', { hint: 'See docs/reference.' }));
  });
  server.setErrorHandler((thrown, _request, reply) => {
    const error = toAppError(thrown);
    options.onError(error);
    sendProblem(reply, error);
  });
  await rm(options.socketPath, { force: true });
  await server.listen({ path: options.socketPath });
  await chmod(options.socketPath, 0o600);
  return { close: () => server.close() };
}

function addRoute<N extends RouteName>(server: FastifyInstance, name: N, handlers: Handlers): void {
  const route = ROUTES[name];
  server.route({
    method: route.method,
    url: route.path,
    handler: async (request: FastifyRequest) => {
      const input = {
        params: parseInput(route.params, request.params, 'path'),
        query: parseInput(route.query, request.query, 'query'),
        body: route.body === null ? null : parseInput(route.body, request.body, 'body'),
      } as Input<N>;
      return route.reply.parse(await handlers[name](input));
    },
  });
}
