/** The node's SQLite file as anybody else may read it: read-only, beside the running daemon. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { nodePaths } from '@helixmesh/daemon/data-folder';

export interface Row {
  readonly sequence: number;
  readonly sampleId: string;
  readonly jobId: string;
  readonly step: string;
  readonly state: string;
  readonly atMs: number;
  readonly payload: { readonly task?: string; readonly attempt?: string };
}

export interface Attempt {
  readonly name: string;
  readonly taskKey: string;
  readonly jobId: string;
  readonly state: string;
  readonly queuedAtMs: number;
  /** Null before it has ended. */
  readonly command: string | null;
}

/** Every row of the table `journal`, in order; none before the database is there. */
export function readJournal(dataDir: string): Row[] {
  const sql = `SELECT sequence, sample_id AS sampleId, job_id AS jobId, step, state, at AS atMs,
    payload FROM journal ORDER BY sequence`;
  return select<Omit<Row, 'payload'> & { payload: string }>(dataDir, sql).map((row) => ({
    ...row,
    payload: JSON.parse(row.payload),
  }));
}

/**
 * The rows that an undisturbed job has too, so that a point of it can be found again in a job that
 * was disturbed before: without crashes, retries and second starts.
 */
export function progressOf(rows: readonly Row[]): Row[] {
  const started = new Set<string>();
  return rows.filter(({ step, state }) => {
    if (OF_CRASHES.includes(state)) return false;
    if (state !== 'started' || step === 'job') return true;
    const isFirst = !started.has(step);
    started.add(step);
    return isFirst;
  });
}

const OF_CRASHES = ['failed', 'retried', 'preempted', 'recovered'];

/** Every attempt of every task, in order of its queueing. */
export function readAttempts(dataDir: string): Attempt[] {
  const sql = `SELECT name, task_key AS taskKey, job_id AS jobId, state, command,
    queued_at AS queuedAtMs FROM attempts
    ORDER BY queued_at, fencing_token`;
  return select<Attempt>(dataDir, sql);
}

export function stateOf(dataDir: string, jobId: string): string | undefined {
  return select<{ state: string }>(dataDir, `SELECT state FROM jobs WHERE job_id = '${jobId}'`)[0]
    ?.state;
}

function select<T>(dataDir: string, sql: string): T[] {
  const path = nodePaths(dataDir).database;
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

/** Rows of the steps alone, without those of the job itself. */
export function stepRows(rows: readonly Row[]): Row[] {
  return rows.filter(({ step }) => step !== 'job' && step !== 'plan');
}

/** Names of the steps that have completed, in alphabetical order, repeats included. */
export function completedSteps(rows: readonly Row[]): string[] {
  return stepRows(rows)
    .filter(({ state }) => state === 'completed')
    .map(({ step }) => step)
    .sort();
}

/** How often each step began, for those that began more than once. */
export function startedAgain(rows: readonly Row[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { step, state } of stepRows(rows)) {
    if (state === 'started') counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].filter(([, count]) => count > 1));
}

/** Every breach of `a finished step never runs again`, in words; empty is as it should be. */
export function repeatedWork(rows: readonly Row[]): string[] {
  const finished = new Set<string>();
  return stepRows(rows).flatMap(({ jobId, step, state, sequence }) => {
    const key = `${jobId} ${step}`;
    const isRepeat = finished.has(key) && (state === 'started' || state === 'completed');
    if (state === 'completed') finished.add(key);
    return isRepeat ? [`${step} ${state} again in row ${sequence}`] : [];
  });
}
