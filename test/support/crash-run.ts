/** One sample run with crashes in it, compared with a run that nothing disturbed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { readDecompressed } from '@helixmesh/pipelines';
import { cleanUp, type Daemon, getJob, startDaemon, waitForState } from './daemon.ts';
import {
  completedSteps,
  countRows,
  readJournal,
  repeatedWork,
  startedAgain,
  stateOf,
} from './journal.ts';
import { JOB_DEADLINE_MS, STEP_DEADLINE_MS } from './limits.ts';
import { enginePid, killHard, runningTools } from './processes.ts';
import { resultDigests } from './result-digests.ts';
import { type Bench, SAMPLE, type Sample } from './sample.ts';
import { waitFor } from './wait-for.ts';

export type Victim = 'daemon' | 'engine' | 'tool';

export interface Point {
  /** The crash comes as soon as the journal has this many rows … */
  readonly rows: number;
  /** … and this many milliseconds more have passed, so that it also hits the middle of a step. */
  readonly afterMs: number;
}

export interface Disturbance extends Point {
  readonly victim: Victim;
}

export interface Expected {
  readonly rows: number;
  readonly digests: Readonly<Record<string, string>>;
  readonly steps: readonly string[];
  /** UTC day, which stands in the report. */
  readonly day: string;
}

export interface CrashOutcome {
  /** Of the last crash. */
  readonly rowsAtKill: number;
  readonly stateAtKill: string;
  /**
   * From the start of the next daemon, or from the kill of another victim, to the next progress;
   * the longest of several, null when nothing was left to do.
   */
  readonly recoveryMs: number | null;
  readonly recovered: boolean;
  readonly startedAgain: Readonly<Record<string, number>>;
  /** Finished steps that ran again. */
  readonly repeated: readonly string[];
  /** Files and steps that differ from the undisturbed run. */
  readonly mismatches: readonly string[];
  /** Logs that name the sample or hold a read. */
  readonly leaks: readonly string[];
}

export async function undisturbedRun(sample: Sample, deadline?: number): Promise<Expected> {
  const bench = await sample.newBench();
  const daemon = await startDaemon(bench);
  try {
    const { jobId } = await submit(daemon, bench);
    await waitForState(daemon.client, jobId, 'COMPLETE', deadline);
    await daemon.terminate();
    const rows = readJournal(bench.dataDir);
    return {
      rows: rows.length,
      digests: await resultDigests(bench.outDir),
      steps: completedSteps(rows),
      day: today(),
    };
  } finally {
    await cleanUp(bench.dataDir, daemon);
  }
}

/** Runs the sample in a data folder of its own with the disturbances in turn, to COMPLETE. */
export async function crashRun(
  sample: Sample,
  {
    disturbances,
    expected,
    deadline = JOB_DEADLINE_MS,
  }: { disturbances: readonly Disturbance[]; expected: Expected; deadline?: number },
): Promise<CrashOutcome> {
  const bench = await sample.newBench();
  const { dataDir } = bench;
  let daemon = await startDaemon(bench);
  try {
    const { jobId } = await submit(daemon, bench);
    const crash = { rowsAtKill: 0, stateAtKill: '', recoveryMs: null as number | null };
    for (const disturbance of disturbances) {
      await reach(dataDir, disturbance, deadline);
      await strike(disturbance.victim, daemon, dataDir);
      crash.rowsAtKill = countRows(dataDir);
      crash.stateAtKill = stateOf(dataDir, jobId) ?? '';
      const killedMs = performance.now();
      if (disturbance.victim === 'daemon') daemon = await startDaemon(bench);
      const sinceMs = disturbance.victim === 'daemon' ? daemon.startedMs : killedMs;
      const tookMs = await progressAfter(dataDir, { ...crash, sinceMs, jobId });
      if (tookMs !== null) crash.recoveryMs = Math.max(tookMs, crash.recoveryMs ?? 0);
    }
    await waitForState(daemon.client, jobId, 'COMPLETE', deadline);
    const { recovered } = await getJob(daemon.client, jobId);
    await daemon.terminate();
    const rows = readJournal(dataDir);
    return {
      ...crash,
      recovered,
      startedAgain: startedAgain(rows),
      repeated: repeatedWork(rows),
      mismatches: [
        ...differences(expected, await resultDigests(bench.outDir)),
        ...(completedSteps(rows).join() === expected.steps.join() ? [] : ['the steps']),
      ],
      leaks: await leaks(dataDir, sample),
    };
  } finally {
    await cleanUp(dataDir, daemon);
  }
}

function submit(daemon: Daemon, bench: Bench): Promise<{ jobId: string }> {
  return daemon.client.call('submitJob', { params: {}, body: bench.submission() });
}

async function reach(dataDir: string, { rows, afterMs }: Point, deadline: number): Promise<void> {
  await waitFor(() => (countRows(dataDir) >= rows ? true : undefined), {
    deadline,
    what: `the journal has ${rows} rows`,
  });
  if (afterMs > 0) await delay(afterMs);
}

async function strike(victim: Victim, daemon: Daemon, dataDir: string): Promise<void> {
  if (victim === 'daemon') return daemon.kill();
  const pid = await waitFor(
    () => (victim === 'engine' ? enginePid(dataDir) : runningTools(dataDir)[0]?.pid),
    { deadline: STEP_DEADLINE_MS, what: `there is a ${victim} to kill` },
  );
  killHard(pid);
}

/** Milliseconds from `sinceMs` to the first row that tells of work; null if none was left to do. */
async function progressAfter(
  dataDir: string,
  { rowsAtKill, sinceMs, jobId }: { rowsAtKill: number; sinceMs: number; jobId: string },
): Promise<number | null> {
  return waitFor(
    () => {
      const news = readJournal(dataDir).slice(rowsAtKill);
      const isWork = news.some(({ state }) => state !== 'recovered' && state !== 'preempted');
      if (isWork) return performance.now() - sinceMs;
      return stateOf(dataDir, jobId) === 'COMPLETE' ? null : undefined;
    },
    { deadline: STEP_DEADLINE_MS, what: 'the job goes on' },
  );
}

/** Names of files that differ. The report bears the day, so not across midnight. */
export function differences(
  { digests, day }: Pick<Expected, 'digests' | 'day'>,
  actual: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(digests), ...Object.keys(actual)]);
  const isSameDay = day === today();
  return [...names].filter(
    (name) => digests[name] !== actual[name] && (isSameDay || !name.includes('.report.')),
  );
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Enough bases to be found in no log by chance. */
const CANARY_BASES = 24;

/** Which logs of the node hold the sample's name or the start of its first read. */
export async function leaks(dataDir: string, sample: Sample): Promise<string[]> {
  const read = await firstRead(sample.r1);
  const { logFile, restateDir } = nodePaths(dataDir);
  return [logFile, join(restateDir, 'server.log')].filter((path) => {
    const text = readFileSync(path, 'utf8');
    return text.includes(SAMPLE) || text.includes(read);
  });
}

async function firstRead(path: string): Promise<string> {
  for await (const chunk of readDecompressed(path)) {
    return (chunk.toString('latin1').split('\n')[1] ?? '').slice(0, CANARY_BASES);
  }
  return '';
}

/** Points spread over the job, one in each of equal parts; half of them hit inside of a step. */
export function seededPoints(
  seed: number,
  { points, rows }: { points: number; rows: number },
): Point[] {
  const random = generator(seed);
  // After the last row nothing is left to disturb.
  const last = rows - 1;
  return Array.from({ length: points }, (_, i) => {
    const first = Math.floor((last * i) / points) + 1;
    const end = Math.max(first + 1, Math.floor((last * (i + 1)) / points) + 1);
    return {
      rows: first + Math.floor(random() * (end - first)),
      afterMs: i % 2 === 0 ? 0 : Math.floor(random() * MAX_AFTER_MS),
    };
  });
}

const MAX_AFTER_MS = 400;

/** mulberry32: small, seeded, good enough to choose points. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
