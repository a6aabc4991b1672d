/** Looking at a node's jobs without a running daemon: the routes that only read SQL. */
import { existsSync } from 'node:fs';
import { type ReadRoute, readHandlers } from '../http/read-handlers.ts';
import type { Handlers } from '../http/server.ts';
import { openDatabase } from '../sql/database.ts';
import type { NodePaths } from './paths.ts';

export interface NodeReader extends AsyncDisposable {
  readonly handlers: Pick<Handlers, ReadRoute>;
}

/** Null when the data folder has never had a node. */
export async function openReader(paths: NodePaths): Promise<NodeReader | null> {
  if (!existsSync(paths.database)) return null;
  const database = await openDatabase(paths.database);
  return {
    handlers: readHandlers(database),
    [Symbol.asyncDispose]: () => database.destroy(),
  };
}
