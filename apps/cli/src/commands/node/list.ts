import type { NodeView } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { withCoordinator } from '../../coordinator.ts';
import { nodeTable } from '../../ui/node-text.ts';

export interface NodeOptions {
  readonly coordinator?: string;
}

export const COORDINATOR_OPTION = [
  '--coordinator <address>',
  'node_…@host:port (default: the setting network.coordinator)',
] as const;

export function addNodeList(node: Command): void {
  node
    .command('list')
    .summary('show the nodes of the network')
    .description('Lists the nodes that have registered with the coordinator, and how they are.')
    .option(...COORDINATOR_OPTION)
    .action(async (options: NodeOptions, command) => {
      const context = contextOf(command);
      const nodes: NodeView[] = await withCoordinator(context, options.coordinator, ({ channel }) =>
        channel.call('listNodes', {}),
      );
      const none = 'No node has registered yet. A node registers by itself after `helixmesh up`.';
      answer(context, nodes, nodes.length === 0 ? none : nodeTable(nodes, Date.now()));
    });
}
