import { JOB_WAIT_MAX_MS } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { findJob } from '../find-job.ts';
import { connect } from '../node-access.ts';
import { stateText } from '../ui/job-text.ts';

export function addCancel(program: Command): void {
  program
    .command('cancel')
    .summary('end a job')
    .description(
      'Ends a job and its running tools, and waits until they have ended. What it has finished stays for a later run.',
    )
    .argument('<sample-or-job>', 'name of a sample (its newest job) or id of a job')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const client = connect(context);
      const { jobId } = await findJob(client, name);
      let job = await client.call('cancelJob', { params: { jobId } });
      while (job.state === 'CANCELING') {
        const query = { waitMs: JOB_WAIT_MAX_MS };
        job = await client.call('getJob', { params: { jobId }, query });
      }
      answer(context, job, `${jobId}  ${stateText(job)}`);
    });
}

export function addResume(program: Command): void {
  program
    .command('resume')
    .summary('let a paused, failed or canceled job go on')
    .description('Lets the job go on from its last finished step; nothing finished runs again.')
    .argument('<sample-or-job>', 'name of a sample (its newest job) or id of a job')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const client = connect(context);
      const { jobId } = await findJob(client, name);
      const job = await client.call('resumeJob', { params: { jobId } });
      answer(context, job, `${jobId}  ${stateText(job)}`);
    });
}
