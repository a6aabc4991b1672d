/** `biofs jobs`, `status`, `logs` and `cancel`: jobs of the network that this folder has signed. */
import type { NetworkJobView } from '@helixmesh/protocol/sealing';
import type { Command } from 'commander';
import { answer, type Context, contextOf } from '../../context.ts';
import type { JobEvent } from '../analysis/job-events.ts';
import type { KnownJob } from '../analysis/watch-job.ts';
import type { Person } from '../person.ts';

export const COORDINATOR = [
  '--coordinator <address>',
  'node_…@host:port (default: the setting network.coordinator, or where the job was sent)',
] as const;

const JOB = ['<job>', 'id of a job, or its first digits'] as const;
const HINT = 'The job goes on without you; look again with `biofs status`.';

interface Options {
  readonly coordinator?: string;
}

export function addJobs(program: Command): void {
  program
    .command('jobs')
    .summary('list the analyses that you have asked for')
    .description(
      'Lists the jobs that this folder has signed, the latest first. Where the coordinator does not ' +
        'answer, the state is the one that it told last, with its age.',
    )
    .action(async (_options: object, command) => {
      const context = contextOf(command);
      const { withPerson } = await import('../person.ts');
      const { jobLines } = await import('../analysis/list-jobs.ts');
      const { jobsTable } = await import('../analysis/network-job-text.ts');
      const lines = await withPerson(context, HINT, (person) => jobLines(context, person));
      const value = lines.map(({ record, state, asOfMs }) => ({
        jobId: record.id,
        state,
        asOfMs,
        coordinator: record.coordinator,
        reference: record.referenceName,
        signedAtMs: record.document.issuedAtMs,
      }));
      const none = 'No analysis yet. Ask for one with `biofs analyze`.';
      answer(context, value, lines.length === 0 ? none : jobsTable(lines, Date.now()));
    });
}

export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show how far an analysis is')
    .description(
      'Shows state, attempts and, at the end, the digest that operators agreed on. How far the tools ' +
        'of a node are nobody else is told.',
    )
    .argument(...JOB)
    .option('--wait', 'wait until it is over, with progress')
    .option(...COORDINATOR)
    .action(async (text: string, options: Options & { wait?: boolean }, command) => {
      const context = contextOf(command);
      await withJob(context, { text, options }, async (person, job) => {
        const { viewJob } = await import('../analysis/watch-job.ts');
        const { jobText } = await import('../analysis/network-job-text.ts');
        const view =
          options.wait === true
            ? await showProgress(context, person, job)
            : await viewJob(person, job);
        answer(context, view, jobText(job.record, view, Date.now()));
      });
    });
}

export function addLogs(program: Command): void {
  program
    .command('logs')
    .summary('show what has happened to an analysis, with times')
    .description(
      'Shows what the coordinator knows: when which node was offered the work, took it, committed to ' +
        'a result, and why an attempt ended. What tools write stays at the node, beside your data, ' +
        'and is wiped with it: it is in no log that anybody could read here.',
    )
    .argument(...JOB)
    .option('-f, --follow', 'go on until the job is over')
    .option(...COORDINATOR)
    .action(async (text: string, options: Options & { follow?: boolean }, command) => {
      const context = contextOf(command);
      await withJob(context, { text, options }, (person, job) =>
        showEvents(context, person, { job, isFollowing: options.follow ?? false }),
      );
    });
}

export function addCancel(program: Command): void {
  program
    .command('cancel')
    .summary('end an analysis')
    .description(
      'Ends the job. Nodes hear of it at their next renewal, two minutes later at most, end the tools ' +
        'and delete your data. Keys that were released cannot be recalled.',
    )
    .argument(...JOB)
    .option(...COORDINATOR)
    .action(async (text: string, options: Options, command) => {
      const context = contextOf(command);
      await withJob(context, { text, options }, async (person, job) => {
        const { noteState } = await import('../analysis/job-records.ts');
        const { jobText } = await import('../analysis/network-job-text.ts');
        const params = { jobId: job.record.id };
        const { signal } = person;
        const channel = person.channel(job.coordinator);
        const view = await channel.call('cancelNetworkJob', { params, signal });
        await noteState(person.crypto, job.dataDir, job.record, view.state);
        answer(context, view, jobText(job.record, view, Date.now()));
      });
    });
}

/** `use` with the person of the folder and one of their jobs. */
export async function withJob<T>(
  context: Context,
  { text, options }: { readonly text: string; readonly options: Options },
  use: (person: Person, job: KnownJob) => Promise<T>,
): Promise<T> {
  const { withPerson } = await import('../person.ts');
  const { findJob } = await import('../analysis/watch-job.ts');
  return withPerson(context, HINT, async (person) => {
    const job = await findJob(context, person, { text, given: options.coordinator });
    return use(person, job);
  });
}

/** Looks until the job is over, with a line on standard error for each change. */
export async function showProgress(
  context: Context,
  person: Person,
  job: KnownJob,
): Promise<NetworkJobView> {
  const { lookUntilOver } = await import('../analysis/watch-job.ts');
  const { progressText } = await import('../analysis/network-job-text.ts');
  const say = sayOnce(context);
  let last: NetworkJobView | undefined;
  for await (const view of lookUntilOver(person, job, (error) => say(silence(error)))) {
    say(progressText(job.record, view));
    last = view;
  }
  // The loop ends with a look.
  return last as NetworkJobView;
}

interface Shown {
  readonly job: KnownJob;
  readonly isFollowing: boolean;
}

async function showEvents(
  context: Context,
  person: Person,
  { job, isFollowing }: Shown,
): Promise<void> {
  const { lookUntilOver, viewJob } = await import('../analysis/watch-job.ts');
  const { eventsOf } = await import('../analysis/job-events.ts');
  const { eventText } = await import('../analysis/network-job-text.ts');
  if (!isFollowing) {
    const events = eventsOf(await viewJob(person, job));
    return answer(context, events, events.map(eventText).join('\n'));
  }
  const shown = new Set<string>();
  const note = sayOnce(context);
  let all: readonly JobEvent[] = [];
  for await (const view of lookUntilOver(person, job, (error) => note(silence(error)))) {
    all = eventsOf(view);
    for (const line of all.map(eventText)) {
      if (!context.json && !shown.has(line)) process.stdout.write(`${line}\n`);
      shown.add(line);
    }
  }
  if (context.json) answer(context, all, '');
}

/** Says each change once; nothing with --quiet. */
function sayOnce({ quiet }: Context): (line: string) => void {
  let last = '';
  return (line) => {
    if (quiet || line === last) return;
    last = line;
    process.stderr.write(`${line}\n`);
  };
}

function silence({ message }: { readonly message: string }): string {
  return `the coordinator does not answer (${message}); asking again`;
}
