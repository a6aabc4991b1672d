import type { RunningNode } from '@helixmesh/daemon';
import type { NodeConfig } from '@helixmesh/daemon/data-folder';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { type Context, contextOf } from '../context.ts';

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
      try {
        await runNode(context, options);
      } finally {
        // What hung when the node stopped must not keep the process.
        setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
      }
    });
}

/** Answers when the node has stopped; it may be told to while it starts. */
async function runNode(context: Context, { untilInputEnds }: Options): Promise<void> {
  const starting = new AbortController();
  let stop: () => unknown = () => starting.abort();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  if (untilInputEnds === true) process.stdin.on('end', () => stop()).resume();
  const node = await started(context.loaded.config, starting.signal);
  if (node === undefined) return;
  stop = node.stop;
  if (starting.signal.aborted) node.stop();
  if (!context.quiet) {
    const address = node.address === null ? '' : `Address: ${node.address}\n`;
    process.stderr.write(`helixmesh is up. Data: ${context.paths.dataDir}\n${address}`);
  }
  await node.stopped;
}

/** Undefined when it was told to stop before it was up, which is no failure. */
async function started(config: NodeConfig, signal: AbortSignal): Promise<RunningNode | undefined> {
  const { startNode } = await import('@helixmesh/daemon');
  try {
    return await startNode({ config, signal });
  } catch (error) {
    if (signal.aborted && AppError.from(error).code === 'CANCELED') return undefined;
    throw error;
  }
}
