/** The REST contract: routes of NETWORK_ROUTES, JSON in and out, problems as RFC 9457. */
import { NO_BODY_SHA256 } from '@helixmesh/client/network';
import { AppError } from '@helixmesh/protocol';
import {
  type Crypto,
  ERROR_HEADER,
  encodeWireError,
  executeJobSchema,
  NETWORK_ROUTES,
  type NetworkRouteName,
  type NetworkRoutes,
  parseSessionToken,
  signedBytesOf,
} from '@helixmesh/protocol/sealing';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { parseInput, sendProblem, toAppError } from '../http/problem.ts';
import type { Logger } from '../node/logger.ts';
import type { Caller } from './caller.ts';
import { logFailure, outward } from './outward.ts';
import type { Requests, SignedPart } from './requests.ts';

export type RouteInput<N extends NetworkRouteName> = {
  readonly params: z.output<NetworkRoutes[N]['params']>;
  readonly query: z.output<NetworkRoutes[N]['query']>;
  readonly body: NetworkRoutes[N]['body'] extends z.ZodType
    ? z.output<NetworkRoutes[N]['body']>
    : null;
};

/** What it answers is checked against the route's schema. */
export type RouteHandler<N extends NetworkRouteName> = (
  input: RouteInput<N>,
  caller: Caller,
) => Promise<z.input<NetworkRoutes[N]['reply']>>;

export type RouteHandlers = { readonly [N in NetworkRouteName]?: RouteHandler<N> };

export interface RestOptions {
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly requests: Requests;
  readonly handlers: RouteHandlers;
}

export function serveRest(server: FastifyInstance, options: RestOptions): void {
  const bodyHashes = readJson(server, options.crypto);
  answerErrors(server, options.logger);
  for (const name of Object.keys(options.handlers) as NetworkRouteName[]) {
    addRoute(server, { ...options, name, bodyHashes });
  }
}

type BodyHashes = WeakMap<FastifyRequest, Uint8Array>;

interface AddRouteOptions extends RestOptions {
  readonly name: NetworkRouteName;
  readonly bodyHashes: BodyHashes;
}

function addRoute(server: FastifyInstance, options: AddRouteOptions): void {
  const { name, requests, bodyHashes } = options;
  const route = NETWORK_ROUTES[name];
  const handler = options.handlers[name] as RouteHandler<NetworkRouteName>;
  server.route({
    method: route.method,
    url: route.path,
    handler: async (request) => {
      requests.arrived(request);
      const signed =
        name === 'executeJob'
          ? signedInBody(options.crypto, request.body)
          : { bodySha256: bodyHashes.get(request) ?? NO_BODY_SHA256 };
      const caller = await requests.admit(request, signed, route);
      const input = {
        params: parseInput(route.params, request.params, 'path'),
        query: parseInput(route.query, request.query, 'query'),
        body: route.body === null ? null : parseInput(route.body, request.body, 'body'),
      } as RouteInput<NetworkRouteName>;
      return route.reply.parse(await handler(input, caller));
    },
  });
}

/** Of the one call whose clients have no other place for a signature than its body. */
function signedInBody(crypto: Crypto, sent: unknown): SignedPart {
  const body = parseInput(executeJobSchema, sent, 'body') as z.output<typeof executeJobSchema>;
  const token = parseSessionToken(body.session_token);
  return { bodySha256: crypto.sha256(signedBytesOf(body)), token };
}

/** Reads JSON only, and keeps the hash of its bytes as they were sent. */
function readJson(server: FastifyInstance, crypto: Crypto): BodyHashes {
  const hashes: BodyHashes = new WeakMap();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    hashes.set(request, crypto.sha256(bytes as Buffer));
    try {
      done(null, bytes.length === 0 ? null : JSON.parse(bytes.toString('utf8')));
    } catch {
      done(new AppError('USAGE', 'the request body is not JSON', { hint: 'Send a JSON object.' }));
    }
  });
  return hashes;
}

function answerErrors(server: FastifyInstance, logger: Logger): void {
  server.setErrorHandler((thrown, request, reply) => {
    const seen = toAppError(thrown);
    logFailure(logger, request.routeOptions.url ?? '', thrown instanceof AppError ? thrown : seen);
    const error = outward(seen);
    // Fastify sets it where it did not read the body; HTTP/2 has no such header.
    reply.removeHeader('connection');
    reply.header(ERROR_HEADER, encodeWireError(error));
    sendProblem(reply, error);
  });
  server.setNotFoundHandler({ preHandler: server.rateLimit() }, (_request, reply) => {
    const error = new AppError('NOT_FOUND', 'this node does not serve that', {
      hint: 'Ask a node that has the role for it; `helixmesh node show` lists the roles.',
    });
    reply.header(ERROR_HEADER, encodeWireError(error));
    sendProblem(reply, error);
  });
}
