/** How commands reach a node: the daemon of the data folder, or one of their own for a while. */
import { type Client, createClient } from '@helixmesh/client';
import { startNode } from '@helixmesh/daemon';
import { AppError } from '@helixmesh/protocol';
import type { Context } from './context.ts';

/** A client of the daemon that runs on this data folder; DAEMON_UNREACHABLE when there is none. */
export function connect(context: Context): Client {
  return createClient({ socketPath: context.paths.apiSocket });
}

/** Uses the running daemon, or starts a node in this process for the duration of `use`. */
export async function withNode<T>(context: Context, use: (client: Client) => Promise<T>): Promise<T> {
  const client = connect(context);
  if (await answers(client)) return use(client);
  const node = await startNode({ config: context.loaded.config });
  try {
    return await Promise.race([use(client), failed(node.stopped)]);
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
async function failed(stopped: Promise<void>): Promise<never> {
  await stopped;
  return new Promise(() => undefined);
}
