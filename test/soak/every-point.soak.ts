/**
 * kill -9 at every journaled point of a job of 24 contigs, one fresh data folder for each.
 *
 *   HELIXMESH_SOAK_POINTS   how many points, spread evenly (default: every one)
 *   HELIXMESH_SOAK_VICTIMS  of daemon, engine, tool, with commas (default: daemon)
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CrashOutcome,
  crashRun,
  type Expected,
  undisturbedRun,
  type Victim,
} from '../support/crash-run.ts';
import { DAEMON_RECOVERY_MAX_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

const SIZE = { contigs: 24, basesPerContig: 20_000, coverage: 10, annotated: true } as const;
/** An undisturbed job takes half a minute on two cores. */
const JOB_DEADLINE_MS = 600_000;
const VICTIMS = (process.env['HELIXMESH_SOAK_VICTIMS'] ?? 'daemon').split(',') as Victim[];

let sample: Sample;
let expected: Expected;
before(async () => {
  sample = await simulatedSample(SIZE);
  expected = await undisturbedRun(sample, JOB_DEADLINE_MS);
});
after(() => sample.remove());

for (const victim of VICTIMS) {
  test(`the ${victim} killed at every journaled point of 24 contigs changes nothing`, async () => {
    const runs: (CrashOutcome & { readonly point: number })[] = [];
    say('point  rows  state at the kill   recovery   repeated  mismatches');
    for (const point of points(expected.rows - 1)) {
      const disturbances = [{ victim, rows: point, afterMs: 0 }];
      const run = await crashRun(sample, { disturbances, expected, deadline: JOB_DEADLINE_MS });
      runs.push({ ...run, point });
      say(line(point, run));
    }
    say(summary(victim, runs));
    for (const { point, repeated, mismatches, leaks } of runs) {
      assert.deepEqual({ point, repeated, mismatches, leaks }, nothing(point));
    }
    if (victim !== 'daemon') return;
    for (const { point, recoveryMs, recovered, stateAtKill } of runs) {
      assert.ok((recoveryMs ?? 0) < DAEMON_RECOVERY_MAX_MS, `point ${point}: ${recoveryMs} ms`);
      assert.equal(recovered, stateAtKill === 'RUNNING', `point ${point}`);
    }
  });
}

/** At once, for a soak is long; the reporter shows what tests write there. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** All from 1 to `last`, or so many of them as the environment says. */
function points(last: number): number[] {
  const wanted = Number(process.env['HELIXMESH_SOAK_POINTS'] ?? last);
  const count = Math.min(last, Math.max(1, wanted));
  return Array.from({ length: count }, (_, i) => Math.floor((last * (i + 1)) / count));
}

function nothing(point: number) {
  return { point, repeated: [], mismatches: [], leaks: [] };
}

function line(point: number, run: CrashOutcome): string {
  return [
    String(point).padStart(5),
    String(run.rowsAtKill).padStart(4),
    run.stateAtKill.padEnd(17),
    milliseconds(run.recoveryMs).padStart(9),
    String(run.repeated.length).padStart(9),
    String(run.mismatches.length).padStart(10),
  ].join('  ');
}

function milliseconds(value: number | null): string {
  return value === null ? 'no work' : `${value.toFixed(0)} ms`;
}

function summary(victim: Victim, runs: readonly CrashOutcome[]): string {
  const times = runs
    .flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]))
    .sort((a, b) => a - b);
  const count = (of: (run: CrashOutcome) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  return [
    `${victim}: ${runs.length} points of ${expected.rows} rows`,
    `recovery median ${milliseconds(times[Math.floor(times.length / 2)] ?? null)}`,
    `max ${milliseconds(times.at(-1) ?? null)}`,
    `duplicates = ${count(({ repeated }) => repeated.length)}`,
    `mismatches = ${count(({ mismatches }) => mismatches.length)}`,
  ].join(', ');
}
