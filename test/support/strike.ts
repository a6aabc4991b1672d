/** Killing one process of a working node, and what comes after. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { type Row, readAttempts, readJournal, stateOf } from './journal.ts';
import { STEP_DEADLINE_MS } from './limits.ts';
import { enginePid, killHard, runningTools, type ToolProcess } from './processes.ts';
import { waitFor } from './wait-for.ts';

export interface Scene {
  readonly dataDir: string;
  readonly jobId: string;
}

/** What a tool needs around it is no tool, nor is what makes it linger. */
const NO_TOOLS = ['bwrap', 'bash', 'sh', 'sleep'];
/** A step whose tool is killed once more than this waits for its user. */
const KILLS_OF_A_STEP_MAX = 2;

/**
 * Kills the engine; answers milliseconds until it answers again and drives the job: a new attempt
 * is queued, or the job is COMPLETE. Rows of tools that went on without it count for nothing.
 */
export async function killEngine({ dataDir, jobId }: Scene): Promise<number> {
  const pid = await waitFor(() => enginePid(dataDir), {
    deadline: STEP_DEADLINE_MS,
    what: 'there is an engine to kill',
  });
  const sinceMs = performance.now();
  const killedAtMs = Date.now();
  killHard(pid);
  await waitFor(() => answersAnew(dataDir, pid), {
    deadline: STEP_DEADLINE_MS,
    what: 'the engine answers again',
  });
  const isDriven = () =>
    stateOf(dataDir, jobId) === 'COMPLETE' ||
    readAttempts(dataDir).some(({ queuedAtMs }) => queuedAtMs > killedAtMs);
  await waitFor(() => (isDriven() ? true : undefined), {
    deadline: STEP_DEADLINE_MS,
    what: 'the engine drives the job',
  });
  return performance.now() - sinceMs;
}

async function answersAnew(dataDir: string, killed: number): Promise<true | undefined> {
  const pid = enginePid(dataDir);
  if (pid === undefined || pid === killed) return undefined;
  const socketPath = join(nodePaths(dataDir).restateDir, 'n', 'ingress.sock');
  const { promise, resolve } = Promise.withResolvers<true | undefined>();
  request({ socketPath, path: '/restate/health' }, (response) => {
    response.resume();
    resolve(response.statusCode === 200 ? true : undefined);
  })
    .on('error', () => resolve(undefined)) // Not listening yet.
    .end();
  return promise;
}

export interface ToolKill {
  readonly step: string;
  /** From the kill to the next start of the step. */
  readonly recoveryMs: number;
}

/**
 * Kills a running tool, or the next one if that has ended by itself meanwhile, but no step for the
 * third time; waits until its step has started again. `killed` are the steps that were struck.
 */
export async function killTool(scene: Scene, killed: readonly string[]): Promise<ToolKill> {
  const { dataDir, jobId } = scene;
  for (;;) {
    const { pid, attemptId, step } = await waitFor(() => vulnerable(scene, killed), {
      deadline: STEP_DEADLINE_MS,
      what: 'there is a tool to kill',
    });
    const killedMs = performance.now();
    killHard(pid);
    const end = await waitFor(() => endOf(dataDir, attemptId), {
      deadline: STEP_DEADLINE_MS,
      what: 'its attempt has ended',
    });
    if (end.state !== 'failed') continue;
    await waitFor(() => readJournal(dataDir).find((row) => isNextStart(row, end)), {
      deadline: STEP_DEADLINE_MS,
      what: `${step} starts again in job ${jobId}`,
    });
    return { step, recoveryMs: performance.now() - killedMs };
  }
}

function vulnerable(
  { dataDir, jobId }: Scene,
  killed: readonly string[],
): (ToolProcess & { step: string }) | undefined {
  const tools = runningTools(dataDir).filter(({ name }) => !NO_TOOLS.includes(name));
  if (tools.length === 0) {
    assert.notEqual(stateOf(dataDir, jobId), 'COMPLETE', 'no tool was left to kill');
    return undefined;
  }
  const rows = readJournal(dataDir);
  return tools
    .map((tool) => ({
      ...tool,
      step: rows.find(({ payload }) => payload.attempt === tool.attemptId),
    }))
    .flatMap(({ step, ...tool }) => (step === undefined ? [] : [{ ...tool, step: step.step }]))
    .find(({ step }) => killed.filter((each) => each === step).length < KILLS_OF_A_STEP_MAX);
}

function endOf(dataDir: string, attemptId: string): Row | undefined {
  return readJournal(dataDir).find(
    ({ payload, state }) => payload.attempt === attemptId && state !== 'started',
  );
}

function isNextStart({ step, state, sequence }: Row, end: Row): boolean {
  return step === end.step && state === 'started' && sequence > end.sequence;
}

/** Milliseconds from `sinceMs` to the first row that tells of work; null if none was left to do. */
export async function progressAfter(
  { dataDir, jobId }: Scene,
  { rows, sinceMs }: { rows: number; sinceMs: number },
): Promise<number | null> {
  return waitFor(
    () => {
      const news = readJournal(dataDir).slice(rows);
      const isWork = news.some(({ state }) => state !== 'recovered' && state !== 'preempted');
      if (isWork) return performance.now() - sinceMs;
      return stateOf(dataDir, jobId) === 'COMPLETE' ? null : undefined;
    },
    { deadline: STEP_DEADLINE_MS, what: 'the job goes on' },
  );
}
