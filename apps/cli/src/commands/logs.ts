import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { findJob } from '../find-job.ts';
import { connectToRead } from '../node-access.ts';
import { bold, dim } from '../ui/style.ts';

export function addLogs(program: Command): void {
  program
    .command('logs')
    .summary('show the commands of a job and what they said')
    .description(
      'Shows every attempt with its command, exit code and last lines of standard error.',
    )
    .argument('<sample-or-job>', 'name of a sample (its newest job) or id of a job')
    .option('--task <step>', 'only this step, e.g. call.chr7')
    .action(async (name: string, options: { task?: string }, command) => {
      const context = contextOf(command);
      const client = await connectToRead(context);
      const { jobId } = await findJob(client, name);
      const logs = await client.call('getLogs', {
        params: { jobId },
        query: { task: options.task },
      });
      const blocks = logs.map((log) => {
        const exit = log.exitCode === null ? '' : `, exit code ${log.exitCode}`;
        const head = `${bold(log.name)}  ${log.state}${exit}  ${dim(log.attemptId)}`;
        return [head, log.command, log.stderrTail].filter((text) => text !== '').join('\n');
      });
      answer(context, logs, blocks.join('\n\n') || 'Nothing has run yet.');
    });
}
