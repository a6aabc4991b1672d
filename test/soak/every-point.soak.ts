/**
 * kill -9 at every journaled point of a job of 24 contigs, one fresh data folder for each.
 *
 *   HELIXMESH_SOAK_POINTS   how many points, spread evenly (default: every one)
 *   HELIXMESH_SOAK_VICTIMS  of daemon, engine, tool, with commas (default: daemon)
 *
 * A run that fails is a row of the table as well, and the next points are tried nevertheless. A
 * tool can be killed up to the last rows only, where no tool is sure to come any more.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CrashOutcome,
  crashRun,
  type Expected,
  type Kill,
  undisturbedRun,
  type Victim,
} from '../support/crash-run.ts';
import { RECOVERY_MAX_MS } from '../support/limits.ts';
import { type Sample, simulatedSample } from '../support/sample.ts';

const SIZE = { contigs: 24, basesPerContig: 20_000, coverage: 10, annotated: true } as const;
/** An undisturbed job takes half a minute on two cores. */
const JOB_DEADLINE_MS = 600_000;
const VICTIMS = (process.env['HELIXMESH_SOAK_VICTIMS'] ?? 'daemon').split(',').map(victimNamed);

/** What one point has come to. */
interface Row {
  readonly point: number;
  /** Null when the run did not come to its end. */
  readonly run: CrashOutcome | null;
  readonly faults: readonly string[];
}

let sample: Sample;
let expected: Expected;
const table: string[] = [];
before(async () => {
  sample = await simulatedSample(SIZE);
  expected = await undisturbedRun(sample, JOB_DEADLINE_MS);
});
after(async () => {
  say(['', TABLE_HEAD, ...table].join('\n'));
  await sample.remove();
});

for (const victim of VICTIMS) {
  test(`the ${victim} killed at every journaled point of 24 contigs changes nothing`, async () => {
    const rows: Row[] = [];
    const last = victim === 'tool' ? expected.toolRows : expected.rows - 1;
    say(`${victim}: ${points(last).length} points of ${expected.rows} rows`);
    say(POINT_HEAD);
    for (const point of points(last)) {
      const row = await strikeAt(point, victim);
      rows.push(row);
      say(pointLine(row));
    }
    table.push(summary(victim, rows));
    const faults = rows.flatMap(({ point, faults }) => faults.map((it) => `point ${point}: ${it}`));
    assert.deepEqual(faults, []);
  });
}

async function strikeAt(point: number, victim: Victim): Promise<Row> {
  const disturbances = [{ victim, rows: point, afterMs: 0 }];
  try {
    const run = await crashRun(sample, { disturbances, expected, deadline: JOB_DEADLINE_MS });
    return { point, run, faults: faultsOf(victim, run) };
  } catch (error) {
    // The soak goes on: one point that is lost must not hide the others.
    return { point, run: null, faults: [String(error)] };
  }
}

function faultsOf(victim: Victim, run: CrashOutcome): string[] {
  const { repeated, mismatches, leaks, recovered, kills } = run;
  const told = victim === 'daemon' && kills.some(({ stateAtKill }) => stateAtKill === 'RUNNING');
  const late = kills.filter(({ recoveryMs }) => (recoveryMs ?? 0) >= RECOVERY_MAX_MS[victim]);
  return [
    ...repeated,
    ...mismatches.map((name) => `${name} differs`),
    ...leaks.map((path) => `${path} tells of the sample`),
    ...late.map(({ recoveryMs }) => `recovered in ${milliseconds(recoveryMs)} only`),
    ...(recovered === told ? [] : [`the job says recovered: ${recovered}`]),
  ];
}

function victimNamed(name: string): Victim {
  assert.ok(name in RECOVERY_MAX_MS, `HELIXMESH_SOAK_VICTIMS names ${name}: no victim`);
  return name as Victim;
}

/** At once, for a soak is long; the reporter shows what tests write there. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** All from 1 to `last`, or so many of them as the environment says. */
function points(last: number): number[] {
  const wanted = Number(process.env['HELIXMESH_SOAK_POINTS'] ?? last);
  assert.ok(wanted >= 1, 'HELIXMESH_SOAK_POINTS is a number of points');
  const count = Math.min(last, wanted);
  return Array.from({ length: count }, (_, i) => Math.floor((last * (i + 1)) / count));
}

const POINT_HEAD = 'point  rows  state at the kill   recovery  faults  step';

function pointLine({ point, run, faults }: Row): string {
  const kill: Kill | undefined = run?.kills[0];
  return [
    String(point).padStart(5),
    String(kill?.rowsAtKill ?? '').padStart(4),
    (kill?.stateAtKill ?? 'not finished').padEnd(17),
    milliseconds(kill?.recoveryMs ?? null).padStart(9),
    String(faults.length).padStart(6),
    kill?.step ?? '',
    ...faults,
  ].join('  ');
}

function milliseconds(value: number | null): string {
  return value === null ? 'no work' : `${value.toFixed(0)} ms`;
}

const COLUMNS = [
  'victim',
  'points',
  'unfinished',
  'duplicates',
  'mismatches',
  'leaks',
  'recovery median',
  'recovery max',
] as const;
const TABLE_HEAD = `| ${COLUMNS.join(' | ')} |\n|${COLUMNS.map(() => '---').join('|')}|`;

function summary(victim: Victim, rows: readonly Row[]): string {
  const runs = rows.flatMap(({ run }) => (run === null ? [] : [run]));
  const times = runs
    .flatMap(({ kills }) => kills.flatMap(({ recoveryMs }) => recoveryMs ?? []))
    .sort((a, b) => a - b);
  const count = (of: (run: CrashOutcome) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  const cells = [
    victim,
    rows.length,
    rows.length - runs.length,
    count(({ repeated }) => repeated.length),
    count(({ mismatches }) => mismatches.length),
    count(({ leaks }) => leaks.length),
    milliseconds(median(times)),
    milliseconds(times.at(-1) ?? null),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Of ascending values: the middle one, or the mean of the two in the middle. */
function median(sorted: readonly number[]): number | null {
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
