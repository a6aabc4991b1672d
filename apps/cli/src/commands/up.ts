import type { Command } from 'commander';
import { contextOf } from '../context.ts';

export function addUp(program: Command): void {
  program
    .command('up')
    .summary('run a node on this machine')
    .description(
      'Runs the node in the foreground until SIGTERM or Ctrl-C. Jobs that were under way go on by ' +
        'themselves. It listens on a socket in its data folder, which only you may open.',
    )
    .option('--cores <n>', 'cores that all tools together may use (default: all)')
    .option('--log-level <level>', 'silent, fatal, error, warn, info, debug or trace')
    .action(async (options: { cores?: string; logLevel?: string }, command) => {
      const context = contextOf(command, { cores: options.cores, logLevel: options.logLevel });
      const { startNode } = await import('@helixmesh/daemon');
      const node = await startNode({ config: context.loaded.config });
      if (!context.quiet) {
        process.stderr.write(`helixmesh is up. Data: ${context.paths.dataDir}\n`);
      }
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => node.stop());
      await node.stopped;
    });
}
