import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataFolder, type NodePaths } from '@helixmesh/daemon/data-folder';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';

export function addCleanup(program: Command): void {
  program
    .command('cleanup')
    .summary('delete what the node keeps')
    .description(
      'Deletes kept results, scratch files and fetched copies of sealed reads; output folders are ' +
        'never touched. Later runs make the results again. Refused while a daemon runs on the data ' +
        'folder. Never deletes keys, or sealed data that a vault keeps for its owners.',
    )
    .option('--all', 'also delete the job history and the reference bundles')
    .action(async (options: { all?: boolean }, command) => {
      const context = contextOf(command);
      const { paths } = context;
      if (!existsSync(paths.dataDir)) {
        return answer(context, { deleted: [] }, `There is nothing in ${paths.dataDir}.`);
      }
      const lock = await lockDataFolder(paths.lockFile);
      const targets = options.all === true ? allOf(paths) : madeAgain(paths);
      for (const target of targets) await rm(target, { recursive: true, force: true });
      await lock.release();
      answer(
        context,
        { deleted: targets },
        targets.map((target) => `deleted ${target}`).join('\n'),
      );
    });
}

/** What later work makes or fetches again. */
function madeAgain({ storeRoot, scratchRoot, bodyCache }: NodePaths): string[] {
  return [storeRoot, scratchRoot, bodyCache];
}

/**
 * The whole folder of a local node. Where somebody has an identity, what jobs have left and nothing
 * else: keys, custody and vault cannot be made again.
 */
function allOf(paths: NodePaths): string[] {
  if (!existsSync(join(paths.dataDir, 'identity'))) return [paths.dataDir];
  const { referenceRoot, restateDir, database, logFile } = paths;
  const sqlite = ['', '-wal', '-shm'].map((suffix) => `${database}${suffix}`);
  return [...madeAgain(paths), referenceRoot, restateDir, ...sqlite, logFile];
}
