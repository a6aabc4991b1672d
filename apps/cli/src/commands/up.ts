import type { Command } from 'commander';
import { contextOf } from '../context.ts';

/** Between the end of a node and that of its process, ms; the usual process ends at once. */
const EXIT_GRACE_MS = 250;

interface Options {
  readonly cores?: string;
  readonly logLevel?: string;
  readonly untilInputEnds?: boolean;
}

export function addUp(program: Command): void {
  program
    .command('up')
    .summary('run a node on this machine')
    .description(
      'Runs the node in the foreground until SIGTERM or Ctrl-C. Jobs that were under way go on by ' +
        'themselves. It listens on a socket in its data folder, which only you may open; a node with ' +
        'roles also where its settings say.',
    )
    .option('--cores <n>', 'cores that all tools together may use (default: all)')
    .option('--log-level <level>', 'silent, fatal, error, warn, info, debug or trace')
    .option('--until-input-ends', 'stop as well when standard input ends: with who started it')
    .action(async (options: Options, command) => {
      const context = contextOf(command, { cores: options.cores, logLevel: options.logLevel });
      const { startNode } = await import('@helixmesh/daemon');
      const node = await startNode({ config: context.loaded.config });
      if (!context.quiet) {
        const address = node.address === null ? '' : `Address: ${node.address}\n`;
        process.stderr.write(`helixmesh is up. Data: ${context.paths.dataDir}\n${address}`);
      }
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => node.stop());
      if (options.untilInputEnds) process.stdin.on('end', () => node.stop()).resume();
      try {
        await node.stopped;
      } finally {
        // What hung when the node stopped must not keep the process.
        setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
      }
    });
}
