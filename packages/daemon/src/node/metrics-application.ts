/** The application that Prometheus scrapes over HTTP, on loopback; the local socket has the same. */
import { AppError } from '@helixmesh/protocol';
import Fastify, { type FastifyInstance } from 'fastify';
import { OK, type Placed } from './application.ts';
import { formatEndpoint, parseEndpoint } from './endpoint.ts';
import type { Ground } from './ground.ts';

/** Requests with a body have nothing to say here, bytes. */
const BODY_BYTES_MAX = 1_024;

/** None where the settings name no address, or want no metrics. */
export function scraping({ config, metrics }: Ground): readonly Placed[] {
  if (config.metricsListen === null || !config.metrics) return [];
  const at = parseEndpoint(config.metricsListen, 'middleware.metrics_listen');
  let server: FastifyInstance | null = null;
  return [
    {
      after: ['api'],
      application: {
        name: 'metrics',
        async start() {
          server = Fastify({ bodyLimit: BODY_BYTES_MAX, exposeHeadRoutes: false });
          server.get('/metrics', async (_request, reply) =>
            reply.type('text/plain').send(await metrics.text()),
          );
          await server.listen(at).catch((cause) => {
            throw new AppError('CONFIG_INVALID', `cannot listen on ${formatEndpoint(at)}`, {
              hint: 'Set middleware.metrics_listen to another port, or stop what uses this one.',
              cause,
            });
          });
        },
        async stop() {
          await server?.close();
          server = null;
        },
        health: () => OK,
      },
    },
  ];
}
