import { AppError, type NodeId } from '@helixmesh/protocol';
import type { NodeView } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { withCoordinator } from '../../coordinator.ts';
import { nodeText } from '../../ui/node-text.ts';
import { COORDINATOR_OPTION, type NodeOptions } from './list.ts';

export function addNodeShow(node: Command): void {
  node
    .command('show')
    .summary('show one node')
    .description('Shows what a node offers and how it is: its hardware, tools, zones and uptime.')
    .argument('[node]', 'its id or how that begins; the node of this data folder by default')
    .option(...COORDINATOR_OPTION)
    .action(async (name: string | undefined, options: NodeOptions, command) => {
      const context = contextOf(command);
      const view = await withCoordinator(context, options.coordinator, async ({ channel, self }) =>
        found(await channel.call('listNodes', {}), name ?? self),
      );
      answer(context, view, nodeText(view, Date.now()));
    });
}

/** The one node whose id begins so; the prefix `node_` may be left out. */
function found(nodes: readonly NodeView[], name: string | NodeId): NodeView {
  const start = name.startsWith('node_') ? name : `node_${name}`;
  const [first, second] = nodes.filter(({ nodeId }) => nodeId.startsWith(start));
  if (first === undefined) {
    throw new AppError('NOT_FOUND', `no node ${name} has registered`, {
      hint: 'See `helixmesh node list`.',
    });
  }
  if (second === undefined) return first;
  throw new AppError('USAGE', `more than one node begins with ${start}`, {
    hint: 'Give more of its id; `helixmesh node list --json` shows all of it.',
  });
}
