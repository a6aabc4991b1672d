/**
 * What every application of a node stands on: its settings, folder, lock, log and database. Held for
 * as long as the node runs, whatever its roles.
 */
import { mkdir } from 'node:fs/promises';
import { type Database, openDatabase } from '../sql/database.ts';
import type { NodeConfig } from './config.ts';
import { type DiskGuard, watchDisk } from './disk-guard.ts';
import { lockDataFolder } from './lock.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type NodeMetrics } from './metrics.ts';
import { type NodePaths, nodePaths } from './paths.ts';

export interface Ground extends AsyncDisposable {
  readonly config: NodeConfig;
  readonly paths: NodePaths;
  readonly logger: Logger;
  readonly database: Database;
  readonly metrics: NodeMetrics;
  readonly disk: DiskGuard;
  /** The last node of this folder did not end in order. */
  readonly wasHeld: boolean;
}

/** Throws DATA_IN_USE when a node runs there already, DISK_FULL when there is no room to start. */
export async function openGround(config: NodeConfig): Promise<Ground> {
  // What is opened is put here: no timer or file may keep the process alive without a node in it.
  await using opened = new AsyncDisposableStack();
  const paths = nodePaths(config.dataDir);
  await mkdir(paths.dataDir, { recursive: true, mode: 0o700 });
  const disk = await watchDisk(paths.dataDir);
  opened.defer(disk.stop);
  const lock = await lockDataFolder(paths.lockFile);
  opened.defer(lock.release);
  const logger = createLogger(paths.logFile, config.logLevel);
  const database = await openDatabase(paths.database);
  opened.defer(() => database.destroy());
  const held = opened.move();
  return {
    config,
    paths,
    logger,
    database,
    metrics: createMetrics(database),
    disk,
    wasHeld: lock.wasHeld,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
