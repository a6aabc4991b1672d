/** A job in words and tables. */
import type { JobListItem, JobView, MetricsView, TaskView } from '@helixmesh/protocol';
import { ago, dateTime, duration, percent } from './format.ts';
import { bold, cyan, dim, green, red, yellow } from './style.ts';
import { pairs, table } from './table.ts';

/** `RUNNING (recovered)`. */
export function stateText(job: Pick<JobListItem, 'state' | 'recovered'>): string {
  const suffix = job.recovered ? ` ${cyan('(recovered)')}` : '';
  return paintState(job.state) + suffix;
}

/** A state of a job or task, in the colour that it calls for. */
export function paintState(state: JobListItem['state']): string {
  if (state === 'COMPLETE') return green(state);
  if (state === 'PAUSED' || state === 'CANCELING') return yellow(state);
  return state.endsWith('ERROR') ? red(state) : state;
}

/** `65 % (15/24 contigs)`. */
export function progressText(job: Pick<JobListItem, 'progress' | 'contigs'>): string {
  const { progress, contigs } = job;
  if (contigs === null) return percent(progress);
  return `${percent(progress)} (${contigs.done}/${contigs.total} contigs)`;
}

export function statusText(job: JobView, options: { why: boolean }): string {
  const rows: [string, string][] = [
    ['sample', bold(job.sampleId)],
    ['job', job.jobId],
    ['state', stateText(job)],
    ['progress', progressText(job)],
    ['workflow', job.workflow],
    ['output', job.outDir],
    ['submitted', `${dateTime(job.createdAtMs)} UTC`],
  ];
  if (job.startedAtMs !== null && job.endedAtMs !== null) {
    rows.push(['took', duration(job.endedAtMs - job.startedAtMs)]);
  }
  const blocks = [pairs(rows)];
  if (job.reason !== null) blocks.push(reasonText(job));
  if (job.tasks.length > 0) blocks.push(options.why ? whyTable(job.tasks) : taskTable(job.tasks));
  return blocks.join('\n\n');
}

function reasonText({ reason }: JobView): string {
  if (reason === null) return '';
  const hint = reason.hint === undefined ? '' : `\n  → ${reason.hint}`;
  return `  ${yellow(reason.message)}${hint}`;
}

function taskTable(tasks: readonly TaskView[]): string {
  return table(
    [
      { title: 'step' },
      { title: 'state' },
      { title: 'tries', align: 'right' },
      { title: 'took', align: 'right' },
    ],
    tasks.map((task) => [task.name, taskState(task), String(task.attempts), tookText(task)]),
  );
}

function whyTable(tasks: readonly TaskView[]): string {
  return table(
    [{ title: 'step' }, { title: 'state' }, { title: 'why' }],
    tasks.map((task) => [task.name, taskState(task), task.why]),
  );
}

/** `RUNNING 57 %`. */
function taskState({ reused, state, progress }: TaskView): string {
  if (reused) return dim('reused');
  const reached = state === 'RUNNING' && progress !== null ? ` ${percent(progress)}` : '';
  return paintState(state) + reached;
}

function tookText({ reused, startedAtMs, endedAtMs }: TaskView): string {
  return reused || startedAtMs === null || endedAtMs === null
    ? ''
    : duration(endedAtMs - startedAtMs);
}

export function jobTable(jobs: readonly JobListItem[], nowMs: number): string {
  if (jobs.length === 0)
    return 'No jobs yet. Start one with `helixmesh run` or `helixmesh submit`.';
  return table(
    [
      { title: 'sample' },
      { title: 'job' },
      { title: 'state' },
      { title: 'progress' },
      { title: 'submitted' },
    ],
    jobs.map((job) => [
      job.sampleId,
      job.jobId,
      stateText(job),
      progressText(job),
      ago(job.createdAtMs, nowMs),
    ]),
  );
}

/** Coordination against compute, after the tracker of the PlexSpaces example. */
export function metricsText(metrics: MetricsView): string {
  const { computeMs, coordinationMs, ratio, efficiency, messages, barriers } = metrics;
  const measured = (value: number | null, text: (value: number) => string) =>
    computeMs === 0 || value === null ? 'nothing ran' : text(value);
  return pairs([
    ['compute', `${duration(computeMs)} (sum over all steps)`],
    ['coordination', `${duration(coordinationMs)} (time without a running step)`],
    ['compute / coordination', measured(ratio, (value) => `${value.toFixed(0)}×`)],
    ['efficiency', measured(efficiency, (value) => `${(value * 100).toFixed(2)} %`)],
    ['messages', String(messages)],
    ['barrier', `${barriers} shards`],
  ]);
}

/** Where the results are, and what they are. */
export function deliverablesText(job: JobView): string {
  return pairs(
    job.deliverables.map(({ path, description }) => [`${job.outDir}/${path}`, dim(description)]),
  );
}

export function reusedText(job: JobView): string {
  const reused = job.tasks.filter((task) => task.reused).length;
  if (reused === 0) return '';
  const ran = job.tasks.length - reused;
  return `${reused} of ${job.tasks.length} steps reused from earlier runs, ${ran} ran (see \`helixmesh status ${job.jobId} --why\`).`;
}
