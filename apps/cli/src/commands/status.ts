import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { findJob } from '../find-job.ts';
import { follow } from '../follow.ts';
import { connect, connectToRead } from '../node-access.ts';
import { jobTable, statusText } from '../ui/job-text.ts';
import { createLive } from '../ui/live.ts';

export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show all jobs, or one of them')
    .description('Shows how far jobs are, whether they recovered from a crash, and why they wait.')
    .argument('[sample-or-job]', 'name of a sample (its newest job) or id of a job')
    .option('--why', 'say of each step why it ran or was reused')
    .option('--watch', 'follow the job until it ends')
    .action(
      async (name: string | undefined, options: { why?: boolean; watch?: boolean }, command) => {
        const context = contextOf(command);
        const client = options.watch === true ? connect(context) : await connectToRead(context);
        if (name === undefined) {
          const jobs = await client.call('listJobs', { params: {} });
          return answer(context, jobs, jobTable(jobs, Date.now()));
        }
        let job = await findJob(client, name);
        if (options.watch === true) {
          const [last] = await follow(
            { client, signal: new AbortController().signal },
            [job.jobId],
            createLive(context.quiet),
          );
          if (last !== undefined) job = last;
        }
        answer(context, job, statusText(job, { why: options.why ?? false }));
      },
    );
}
