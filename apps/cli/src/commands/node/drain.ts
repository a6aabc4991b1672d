import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { withCoordinator } from '../../coordinator.ts';
import { nodeText } from '../../ui/node-text.ts';
import { COORDINATOR_OPTION, type NodeOptions } from './list.ts';

export function addNodeDrain(node: Command): void {
  node
    .command('drain')
    .summary('take no new work on this node')
    .description(
      'Asks the coordinator to place nothing new on the node of this data folder. What runs there ' +
        'goes on. It holds over restarts, until `node resume`.',
    )
    .option(...COORDINATOR_OPTION)
    .action(telling('drainNode'));
}

export function addNodeResume(node: Command): void {
  node
    .command('resume')
    .summary('take new work again on this node')
    .description('Takes `node drain` back.')
    .option(...COORDINATOR_OPTION)
    .action(telling('resumeNode'));
}

function telling(route: 'drainNode' | 'resumeNode') {
  return async (options: NodeOptions, command: Command): Promise<void> => {
    const context = contextOf(command);
    const view = await withCoordinator(context, options.coordinator, ({ channel, self }) =>
      channel.call(route, { params: { nodeId: self } }),
    );
    answer(context, view, nodeText(view, Date.now()));
  };
}
