import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { lockDataFolder } from '@helixmesh/daemon/data-folder';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';

export function addCleanup(program: Command): void {
  program
    .command('cleanup')
    .summary('delete what the node keeps')
    .description(
      'Deletes kept results and scratch files; output folders are never touched. Later runs make ' +
        'the results again. Refused while a daemon runs on the data folder.',
    )
    .option('--all', 'also delete the job history and the reference bundles')
    .action(async (options: { all?: boolean }, command) => {
      const context = contextOf(command);
      const { paths } = context;
      if (!existsSync(paths.dataDir)) {
        return answer(context, { deleted: [] }, `There is nothing in ${paths.dataDir}.`);
      }
      const lock = await lockDataFolder(paths.lockFile);
      const targets = options.all === true ? [paths.dataDir] : [paths.storeRoot, paths.scratchRoot];
      for (const target of targets) await rm(target, { recursive: true, force: true });
      await lock.release();
      answer(
        context,
        { deleted: targets },
        targets.map((target) => `deleted ${target}`).join('\n'),
      );
    });
}
