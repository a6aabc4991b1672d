import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { findJob } from '../find-job.ts';
import { connectToRead } from '../node-access.ts';
import { deliverablesText } from '../ui/job-text.ts';

export function addReport(program: Command): void {
  program
    .command('report')
    .summary('say where the results of a job are')
    .description('Prints the paths of the report, the variants, the alignment and the provenance.')
    .argument('<sample-or-job>', 'name of a sample (its newest job) or id of a job')
    .action(async (name: string, _options: object, command) => {
      const context = contextOf(command);
      const job = await findJob(await connectToRead(context), name);
      if (job.state !== 'COMPLETE') {
        throw new AppError(
          'CONFLICT',
          `job ${job.jobId} is ${job.state}; its report is not there`,
          {
            hint: `Watch it with \`helixmesh status ${job.jobId} --watch\`.`,
          },
        );
      }
      const files = job.deliverables.map(({ path, description }) => ({
        path: join(job.outDir, path),
        description,
      }));
      answer(context, files, deliverablesText(job));
    });
}
