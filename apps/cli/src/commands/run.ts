import { AppError, type JobView } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../context.ts';
import { follow, resumed } from '../follow.ts';
import { withNode } from '../node-access.ts';
import { duration } from '../ui/format.ts';
import { deliverablesText, metricsText, progressText, reusedText } from '../ui/job-text.ts';
import { createLive } from '../ui/live.ts';
import { bold, green } from '../ui/style.ts';
import { prepareSubmissions, type SubmitOptions, submitJobs, withSubmitOptions } from './submit.ts';

export function addRun(program: Command): void {
  withSubmitOptions(
    program
      .command('run')
      .summary('analyse reads from FASTQ to report, here and now')
      .description(
        'Runs the germline analysis and waits for it. Uses the daemon of the data folder, or a node ' +
          'of its own while it runs. Killed and started again, it goes on from its last finished step.',
      ),
  ).action(async (options: SubmitOptions, command) => {
    const context = contextOf(command);
    const jobs = await runJobs(context, options);
    answer(context, jobs, jobs.map(resultText).join('\n\n'));
  });
}

/** Submits and follows; throws the reason of the first job that did not complete. */
export async function runJobs(context: Context, options: SubmitOptions): Promise<JobView[]> {
  const submissions = await prepareSubmissions(context, options);
  return withNode(context, async (node) => {
    const submitted = await submitJobs(node.client, submissions);
    const jobIds = submitted.map((job) => job.jobId);
    // The same command again says that the cause of the pause is mended.
    for (const { jobId, state } of submitted) {
      if (state === 'PAUSED') await resumed(node, jobId);
    }
    const jobs = await follow(node, jobIds, createLive(context.quiet));
    for (const job of jobs) assertComplete(job);
    return jobs;
  });
}

function assertComplete(job: JobView): void {
  if (job.state === 'COMPLETE') return;
  const { code, message, hint } = job.reason ?? {
    code: 'CANCELED' as const,
    message: 'it was canceled',
  };
  throw new AppError(
    code,
    `sample ${job.sampleId} is ${job.state} at ${progressText(job)}: ${message}`,
    {
      hint: hint ?? `See \`helixmesh logs ${job.jobId}\`.`,
    },
  );
}

export function resultText(job: JobView): string {
  const took =
    job.startedAtMs === null || job.endedAtMs === null
      ? ''
      : ` in ${duration(job.endedAtMs - job.startedAtMs)}`;
  return [
    `${bold(job.sampleId)} ${green('complete')}${took}`,
    reusedText(job),
    deliverablesText(job),
    bold('Coordination and compute'),
    metricsText(job.metrics),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}
