import { AppError, TASK_ID_PATTERN, type TaskId } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../../context.ts';
import { withCoordinator } from '../../coordinator.ts';
import { COORDINATOR_OPTION, type NodeOptions } from '../node/list.ts';

export function addTaskRetry(task: Command): void {
  task
    .command('retry')
    .summary('try a task again that was given up')
    .description(
      'Opens a task again that was given up, with all the attempts that its job allows. Only with the ' +
        'data folder of the coordinator, and only while its job has not expired.',
    )
    .argument('<task>', 'its id, task_…, as `helixmesh task dead` shows it')
    .option(...COORDINATOR_OPTION)
    .action(async (id: string, options: NodeOptions, command) => {
      const context = contextOf(command);
      const taskId = taskIdOf(id);
      const { status } = await withCoordinator(context, options.coordinator, ({ channel }) =>
        channel.call('retryTask', { params: { taskId } }),
      );
      if (status === 'retried') return answer(context, { taskId, status }, `${taskId} goes on.`);
      throw new AppError('CONFLICT', WHY[status](taskId), {
        hint: 'See `helixmesh task dead` for those that can be tried again.',
      });
    });
}

const WHY = {
  expired: (taskId: TaskId) => `the job of ${taskId} has expired`,
  not_dead: (taskId: TaskId) => `${taskId} was not given up`,
} as const;

function taskIdOf(id: string): TaskId {
  if (TASK_ID_PATTERN.test(id)) return id as TaskId;
  throw new AppError('USAGE', `not a task: ${JSON.stringify(id.slice(0, 100))}`, {
    hint: 'Give task_<32 hex digits>, as `helixmesh task dead` shows it.',
  });
}
