/** The application of the local socket. It starts last: a node that answers there is up. */
import { apiHandlers, type HandlerOptions } from '../http/handlers.ts';
import { type ApiServer, serveApi } from '../http/server.ts';
import { OK, type Placed } from './application.ts';
import type { Ground } from './ground.ts';

export interface ApiApplicationOptions extends Pick<HandlerOptions, 'jobs' | 'health'> {
  /** All others. */
  readonly after: readonly string[];
}

export function createApi(
  { config, paths, database, metrics, logger }: Ground,
  { after, ...handling }: ApiApplicationOptions,
): Placed {
  let server: ApiServer | null = null;
  return {
    after,
    application: {
      name: 'api',
      start: async () => {
        server = await serveApi({
          socketPath: paths.apiSocket,
          handlers: apiHandlers({ database, ...handling }),
          metrics: config.metrics ? metrics.text : null,
          onError: (error) => logger.warn({ code: error.code }, 'request refused'),
        });
      },
      stop: async () => {
        await server?.close();
        server = null;
      },
      health: () => OK,
    },
  };
}
