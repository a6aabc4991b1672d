/** Jobs of the network, as people read them. */
import type { NetworkJobState, NetworkJobView } from '@helixmesh/protocol/sealing';
import { ago, dateTime, duration, PARTY_CHARS, shortParty } from '../../ui/format.ts';
import { paintState } from '../../ui/job-text.ts';
import { printable } from '../../ui/printable.ts';
import { dim, green, red, yellow } from '../../ui/style.ts';
import { pairs, table } from '../../ui/table.ts';
import { shortId } from '../find-dataset.ts';
import type { JobEvent } from './job-events.ts';
import type { JobRecord } from './job-records.ts';

type Task = NetworkJobView['tasks'][number];
type Attempt = Task['attempts'][number];

const MICRO_USD = 1_000_000;

export function jobText(record: JobRecord, view: NetworkJobView, nowMs: number): string {
  const { document } = record;
  const rows: [string, string][] = [
    ['job', `${shortId(record.id)}  ${dim(record.id)}`],
    ['state', paintState(view.state)],
    [
      'pipeline',
      `${document.pipeline.name}${partsText(record)}, reference ${referenceText(record)}`,
    ],
    ['reads', readsText(record)],
    ['wanted', wantedText(record)],
    ['submitted', `${dateTime(view.createdAtMs)} UTC`],
  ];
  if (view.endedAtMs === null) rows.push(['until', `${dateTime(document.expiresAtMs)} UTC`]);
  else rows.push(['took', duration(view.endedAtMs - view.createdAtMs)]);
  const last = view.tasks.at(-1);
  if (last !== undefined && last.resultDigest !== null) rows.push(['result', resultText(last)]);
  if (view.tasks.length > 1) rows.push(['tasks', barText(view.tasks)]);
  const blocks = [pairs(rows)];
  if (view.reason !== null) blocks.push(`  ${yellow(printable(view.reason.message))}`);
  if (view.tasks.length > 1) blocks.push(taskTable(view.tasks));
  if (view.tasks.some(({ attempts }) => attempts.length > 0)) {
    blocks.push(attemptTable(view.tasks, nowMs));
  } else if (view.endedAtMs === null) blocks.push('  No node has been offered it yet.');
  const next = nextStep(record, view.state);
  return [...blocks, ...(next === '' ? [] : [next])].join('\n\n');
}

function nextStep(record: JobRecord, state: NetworkJobState): string {
  if (state !== 'COMPLETE') return '';
  return `  → biofs result ${shortId(record.id)} --out <folder>`;
}

function referenceText({ referenceName, document }: JobRecord): string {
  const digest = String(document.parameters['reference'] ?? '');
  return referenceName === digest ? digest : `${printable(referenceName)} ${dim(digest)}`;
}

function partsText({ document }: JobRecord): string {
  const spread = Number(document.parameters['spread'] ?? 1);
  return spread > 1 ? `, its calls in ${spread} parts` : '';
}

function readsText({ document }: JobRecord): string {
  const ids = [document.parameters['r1'], document.parameters['r2']];
  const shown = ids.flatMap((id) => {
    const dataset = document.datasets.find((one) => one.dataset === id)?.dataset;
    return dataset === undefined ? [] : [shortId(dataset)];
  });
  return shown.join(' and ');
}

function wantedText({
  document: { redundancy, replicasMax, maxPriceMicroUsd },
}: JobRecord): string {
  const who = redundancy === 1 ? '1 operator' : `${redundancy} operators that agree`;
  const price = usd(Number(maxPriceMicroUsd));
  return `${who}, at most ${replicasMax} attempts and ${price} USD`;
}

/** `0.50`, `0.005`: at least cents, and no zeros behind. */
function usd(microUsd: number): string {
  return (microUsd / MICRO_USD).toFixed(6).replace(/0{1,4}$/, '');
}

function resultText({ resultDigest, isChecked, attempts }: Task): string {
  const valid = attempts.filter(({ verdict }) => verdict === 'valid').length;
  const by = isChecked === true ? `${valid} operators agree` : 'one operator, checked by nobody';
  return `${resultDigest}  ${isChecked === true ? green(by) : yellow(by)}`;
}

/** `██████░░░░░░░░░ 2 of 5 complete`: one block for each task where there are few. */
function barText(tasks: readonly Task[]): string {
  const done = tasks.filter(({ state }) => state === 'COMPLETE').length;
  const blocks = Math.min(BAR_BLOCKS_MAX, tasks.length * BLOCKS_PER_TASK);
  const full = Math.floor((blocks * done) / tasks.length);
  const bar = `${green('█'.repeat(full))}${dim('░'.repeat(blocks - full))}`;
  return `${bar} ${done} of ${tasks.length} complete`;
}

const BAR_BLOCKS_MAX = 40;
const BLOCKS_PER_TASK = 3;

/** The tasks of a spread job; `helixmesh route explain` takes their ids. */
function taskTable(tasks: readonly Task[]): string {
  return table(
    [{ title: 'task' }, { title: 'state' }, { title: 'checked' }, { title: 'id' }],
    tasks.map(({ name, state, isChecked, attempts, taskId }) => [
      name,
      paintState(state),
      checkedText(isChecked, attempts),
      dim(taskId),
    ]),
  );
}

function checkedText(isChecked: boolean | null, attempts: readonly Attempt[]): string {
  if (isChecked === null) return '';
  if (!isChecked) return yellow('by nobody');
  return green(`${attempts.filter(({ verdict }) => verdict === 'valid').length} agree`);
}

function attemptTable(tasks: readonly Task[], nowMs: number): string {
  const isSpread = tasks.length > 1;
  const attempts = tasks.flatMap((task) =>
    task.attempts.map((attempt) => ({ ...attempt, task: task.name })),
  );
  return table(
    [
      ...(isSpread ? [{ title: 'task' }] : []),
      { title: 'attempt' },
      { title: 'node' },
      { title: 'operator' },
      { title: 'state' },
      { title: 'took', align: 'right' },
      { title: 'verdict' },
    ],
    attempts.map((attempt) => [
      ...(isSpread ? [attempt.task] : []),
      attempt.attemptId,
      shortParty(attempt.nodeId),
      shortParty(attempt.operator),
      attempt.state,
      tookText(attempt, nowMs),
      verdictText(attempt.verdict),
    ]),
  );
}

/** Up to the commit, for after it a node only waits for the others. */
function tookText({ startedAtMs, committedAtMs, endedAtMs }: Attempt, nowMs: number): string {
  if (startedAtMs === null) return '';
  return duration(Math.max(0, (committedAtMs ?? endedAtMs ?? nowMs) - startedAtMs));
}

function verdictText(verdict: Attempt['verdict']): string {
  if (verdict === 'valid') return green('agrees');
  return verdict === 'invalid' ? red('differs') : '';
}

export interface JobLine {
  readonly record: JobRecord;
  /** Null where nobody has said it. */
  readonly state: NetworkJobState | null;
  /** When the coordinator said so; null for just now. */
  readonly asOfMs: number | null;
}

export function jobsTable(lines: readonly JobLine[], nowMs: number): string {
  return table(
    [
      { title: 'job' },
      { title: 'state' },
      { title: 'pipeline' },
      { title: 'reads' },
      { title: 'signed' },
    ],
    lines.map(({ record, state, asOfMs }) => [
      shortId(record.id),
      state === null
        ? yellow('not sent')
        : `${paintState(state)}${asOfMs === null ? '' : dim(` ${ago(asOfMs, nowMs)}`)}`,
      record.document.pipeline.name,
      readsText(record),
      ago(record.document.issuedAtMs, nowMs),
    ]),
  );
}

/** `2026-11-21 14:50:03  node_ab12…  committed`. */
export function eventText({ atMs, task, nodeId, attemptId, text }: JobEvent): string {
  const who = nodeId === null ? 'job'.padEnd(PARTY_CHARS) : shortParty(nodeId);
  const what = task === null || task === 'main' ? '' : `${printable(task)}: `;
  const line = `${dateTime(atMs)}  ${who}  ${what}${printable(text)}`;
  return attemptId === null ? line : `${line}  ${dim(attemptId)}`;
}

/** One line of progress: `5c1d3f0a92b4  RUNNING  1 of 5 tasks, 2 at work, 1 committed`. */
export function progressText(record: JobRecord, view: NetworkJobView): string {
  const counts = new Map<string, number>();
  for (const { state } of view.tasks.flatMap((task) => task.attempts)) {
    const word = WORDS[state];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const done = view.tasks.filter((task) => task.state === 'COMPLETE').length;
  const tasks = view.tasks.length > 1 ? [`${done} of ${view.tasks.length} tasks`] : [];
  const parts = [...tasks, ...[...counts].map(([word, count]) => `${count} ${word}`)];
  return [shortId(record.id), view.state, parts.join(', ')]
    .filter((part) => part !== '')
    .join('  ');
}

const WORDS: Readonly<Record<Attempt['state'], string>> = {
  OFFERED: 'offered',
  RUNNING: 'at work',
  COMMITTED: 'committed',
  REVEALED: 'revealed',
  ENDED: 'ended',
  WITHDRAWN: 'withdrawn',
};
