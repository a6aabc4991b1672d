/** One sample run with crashes in it, compared with a run that nothing disturbed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { readDecompressed } from '@helixmesh/pipelines';
import { cleanUp, type Daemon, getJob, startDaemon, waitForState } from './daemon.ts';
import { lingeringTools } from './gated-tool.ts';
import {
  type Attempt,
  completedSteps,
  progressOf,
  type Row,
  readAttempts,
  readJournal,
  repeatedWork,
  startedAgain,
  stateOf,
} from './journal.ts';
import { JOB_DEADLINE_MS } from './limits.ts';
import { resultDigests } from './result-digests.ts';
import { type Bench, SAMPLE, type Sample } from './sample.ts';
import { killEngine, killTool, progressAfter, type Scene } from './strike.ts';
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
  /** Up to this row there is always another tool to come. */
  readonly toolRows: number;
  readonly digests: Readonly<Record<string, string>>;
  readonly steps: readonly string[];
  /** UTC day, which stands in the report. */
  readonly day: string;
}

export interface Kill {
  readonly victim: Victim;
  readonly rowsAtKill: number;
  readonly stateAtKill: string;
  /** The step whose tool was killed. */
  readonly step: string | null;
  /**
   * From the start of the next daemon to the next progress; from the kill of an engine until it
   * answers and there is progress; from the kill of a tool to the next start of its step. Null when
   * nothing was left to do.
   */
  readonly recoveryMs: number | null;
}

export interface CrashOutcome {
  readonly kills: readonly Kill[];
  /** As the job says of itself. */
  readonly recovered: boolean;
  /** How often each step began that began more than once. */
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
      toolRows: toolRowsOf(rows, readAttempts(bench.dataDir)),
      digests: await resultDigests(bench.outDir),
      steps: completedSteps(rows),
      day: today(),
    };
  } finally {
    await cleanUp(bench.dataDir, daemon);
  }
}

/** The start of the last step but two that runs a tool: the last ones are over in no time. */
function toolRowsOf(rows: readonly Row[], attempts: readonly Attempt[]): number {
  const withTools = attempts
    .filter(({ command }) => command?.split('\n').some((line) => !line.startsWith('helixmesh ')))
    .map(({ name }) => name);
  const starts = rows.flatMap(({ step, state }, i) =>
    state === 'started' && withTools.includes(step) ? [i + 1] : [],
  );
  return starts.at(-3) ?? 1;
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
  const bench = await benchFor(sample, disturbances);
  const { dataDir } = bench;
  let daemon = await startDaemon(bench);
  const restart = async () => {
    daemon = await startDaemon(bench);
    return daemon;
  };
  try {
    const { jobId } = await submit(daemon, bench);
    const kills: Kill[] = [];
    for (const disturbance of disturbances) {
      await reach(dataDir, disturbance, deadline);
      const { victim } = disturbance;
      const scene = { dataDir, jobId, daemon, restart, kills };
      kills.push({ victim, ...(await STRIKES[victim](scene)) });
    }
    await waitForState(daemon.client, jobId, 'COMPLETE', deadline);
    const { recovered } = await getJob(daemon.client, jobId);
    await daemon.terminate();
    const rows = readJournal(dataDir);
    return {
      kills,
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

/** Where tools are killed, they last long enough. */
async function benchFor(sample: Sample, disturbances: readonly Disturbance[]): Promise<Bench> {
  const bench = await sample.newBench();
  if (!disturbances.some(({ victim }) => victim === 'tool')) return bench;
  return { ...bench, env: { ...bench.env, ...(await lingeringTools(bench.folder)) } };
}

function submit(daemon: Daemon, bench: Bench): Promise<{ jobId: string }> {
  return daemon.client.call('submitJob', { params: {}, body: bench.submission() });
}

async function reach(dataDir: string, { rows, afterMs }: Point, deadline: number): Promise<void> {
  await waitFor(() => (progressOf(readJournal(dataDir)).length >= rows ? true : undefined), {
    deadline,
    what: `the journal has ${rows} rows`,
  });
  if (afterMs > 0) await delay(afterMs);
}

interface Stage extends Scene {
  readonly daemon: Daemon;
  readonly restart: () => Promise<Daemon>;
  readonly kills: readonly Kill[];
}

const STRIKES: Readonly<Record<Victim, (stage: Stage) => Promise<Omit<Kill, 'victim'>>>> = {
  daemon: async (stage) => {
    await stage.daemon.kill();
    const { rowsAtKill, ...seen } = look(stage);
    const { startedMs } = await stage.restart();
    const recoveryMs = await progressAfter(stage, { rows: rowsAtKill, sinceMs: startedMs });
    return { rowsAtKill, ...seen, step: null, recoveryMs };
  },
  engine: async (stage) => ({ ...look(stage), step: null, recoveryMs: await killEngine(stage) }),
  tool: async (stage) => {
    const killed = stage.kills.flatMap(({ step }) => (step === null ? [] : [step]));
    return { ...look(stage), ...(await killTool(stage, killed)) };
  },
};

function look({ dataDir, jobId }: Scene): Pick<Kill, 'rowsAtKill' | 'stateAtKill'> {
  return {
    rowsAtKill: readJournal(dataDir).length,
    stateAtKill: stateOf(dataDir, jobId) ?? '',
  };
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

/**
 * Points spread over the rows up to `last`, one in each of equal parts; half of them hit inside of
 * a step.
 */
export function seededPoints(
  seed: number,
  { points, last, maxAfterMs }: { points: number; last: number; maxAfterMs: number },
): Point[] {
  const random = generator(seed);
  return Array.from({ length: points }, (_, i) => {
    const first = Math.floor((last * i) / points) + 1;
    const end = Math.max(first + 1, Math.floor((last * (i + 1)) / points) + 1);
    return {
      rows: first + Math.floor(random() * (end - first)),
      afterMs: i % 2 === 0 ? 0 : Math.floor(random() * maxAfterMs),
    };
  });
}

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
