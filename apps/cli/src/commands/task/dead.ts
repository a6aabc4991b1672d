import type { DeadTask } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { withCoordinator } from '../../coordinator.ts';
import { dateTime } from '../../ui/format.ts';
import { table } from '../../ui/table.ts';
import { COORDINATOR_OPTION, type NodeOptions } from '../node/list.ts';

const COLUMNS = [{ title: 'task' }, { title: 'given up' }, { title: 'code' }, { title: 'why' }];

export function addTaskDead(task: Command): void {
  task
    .command('dead')
    .summary('list the tasks that were given up')
    .description(
      'Lists the tasks that ended without a result after all attempts that their jobs allow, newest ' +
        'first. Only with the data folder of the coordinator: its key is that of its operator.',
    )
    .option(...COORDINATOR_OPTION)
    .action(async (options: NodeOptions, command) => {
      const context = contextOf(command);
      const dead: DeadTask[] = await withCoordinator(context, options.coordinator, ({ channel }) =>
        channel.call('listDeadTasks', {}),
      );
      const rows = dead.map(({ taskId, atMs, reason }) => [
        taskId,
        `${dateTime(atMs)} UTC`,
        reason.code,
        reason.message,
      ]);
      answer(context, dead, rows.length === 0 ? 'No task was given up.' : table(COLUMNS, rows));
    });
}
