/** How commands reach a node: the daemon of the data folder, or one of their own for a while. */
import { type Client, createClient } from '@helixmesh/client';
import type { Handlers } from '@helixmesh/daemon';
import { AppError, ROUTES } from '@helixmesh/protocol';
import type { Context } from './context.ts';

/** A client of the daemon that runs on this data folder; DAEMON_UNREACHABLE when there is none. */
export function connect(context: Context): Client {
  return createClient({ socketPath: context.paths.apiSocket });
}

/**
 * For commands that only look: the running daemon, else the database that it has left. A folder
 * which has never had a node answers DAEMON_UNREACHABLE.
 */
export async function connectToRead(context: Context): Promise<Client> {
  const client = connect(context);
  if (await answers(client)) return client;
  const { openReader } = await import('@helixmesh/daemon/reader');
  const reader = await openReader(context.paths);
  if (reader === null) return client;
  const handlers: Partial<Handlers> = reader.handlers;
  return {
    call: async (name, input) => {
      const handler = handlers[name] as Handlers[typeof name] | undefined;
      if (handler === undefined) return client.call(name, input);
      const { params, query, reply } = ROUTES[name];
      const request = { params: params.parse(input.params), query: query.parse(input.query ?? {}) };
      return reply.parse(await handler({ ...request, body: null } as never)) as never;
    },
  };
}

export interface NodeUse {
  readonly client: Client;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Uses the running daemon, or starts a node in this process for the duration of `use`. Throws
 * CANCELED when the user interrupts; every finished step is kept.
 */
export async function withNode<T>(
  context: Context,
  use: (node: NodeUse) => Promise<T>,
): Promise<T> {
  const client = connect(context);
  if (await answers(client)) {
    return interruptible('The daemon goes on with it; look with `helixmesh status`.', (signal) =>
      use({ client, signal }),
    );
  }
  const { startNode } = await import('@helixmesh/daemon');
  const node = await startNode({ config: context.loaded.config });
  try {
    return await interruptible('The same command goes on from the last finished step.', (signal) =>
      Promise.race([use({ client, signal }), failureOf(node.stopped)]),
    );
  } catch (error) {
    await node.stop();
    // A node that gave up answers no request before it says why.
    await node.stopped;
    throw error;
  } finally {
    await node.stop();
  }
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.call('getHealth', { params: {} });
    return true;
  } catch (error) {
    if (AppError.from(error).code === 'DAEMON_UNREACHABLE') return false;
    throw error;
  }
}

/** Rejects when the node gives up; stopping it on purpose leaves the race to the other side. */
async function failureOf(stopped: Promise<void>): Promise<never> {
  await stopped;
  return new Promise(() => undefined);
}

/** Runs `use`; the first SIGINT or SIGTERM aborts it, a second one ends the process at once. */
export async function interruptible<T>(
  hint: string,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  for (const name of SIGNALS) process.once(name, interrupt);
  try {
    return await use(controller.signal);
  } catch (cause) {
    if (!controller.signal.aborted) throw cause;
    throw new AppError('CANCELED', 'stopped before the end', { hint, cause });
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
