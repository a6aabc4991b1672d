/**
 * The product against a hand-written script of the same tools: wall time in pairs, memory of our
 * own processes, and coordination against compute. BENCHMARKS.md says what it does and does not
 * show.
 *
 * Usage: make bench, or bash scripts/node.sh benchmarks/pipeline/pipeline.ts
 *          [--bases 200000] [--contigs 24, at least 3] [--coverage 30] [--pairs 3] [--cores N]
 *          [--sides daemon,standalone] [--together] [--json]
 *
 * The sides take turns, and the order turns round with each repetition. With `--together` the script
 * and one side of ours run at the same time, each held to one processor of its own, and change places
 * with each repetition: whatever slows the machine meanwhile slows both. All data is made anew in a
 * temporary folder. The report is on standard output, progress on standard error.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '@helixmesh/protocol';
import {
  loadOfMinute,
  machine,
  machineText,
  medianSteps,
  ratioText,
  seconds,
  secondsText,
  spreadOf,
  stepsText,
} from '../support/figures.ts';
import { prepareInput } from '../support/simulated.ts';
import { type Bench, runSide, SAMPLE, SIDES, type Side, type SideRun } from './sides.ts';

const GOAL_RATIO = 1.05;
const GOAL_COORDINATION = 100;

const { values } = parseArgs({
  options: {
    bases: { type: 'string', default: '200000' },
    contigs: { type: 'string', default: '24' },
    coverage: { type: 'string', default: '30' },
    pairs: { type: 'string', default: '3' },
    cores: { type: 'string', default: String(availableParallelism()) },
    sides: { type: 'string', default: 'daemon,standalone' },
    together: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

interface Repetition {
  /** The minute's average before the first and after the last side. */
  readonly load: readonly [number, number];
  readonly runs: ReadonlyMap<Side, SideRun>;
}

async function prepare(folder: string): Promise<Bench> {
  const input = await prepareInput(folder, SAMPLE, {
    contigs: Number(values.contigs),
    basesPerContig: Number(values.bases),
    coverage: Number(values.coverage),
  });
  const bundles = join(input.prepared, 'references', 'bundles');
  const [bundle = ''] = await readdir(bundles);
  const cores = values.together ? 1 : Number(values.cores);
  return { ...input, folder, cores, pinnedTo: null, bundle: join(bundles, bundle) };
}

async function repeat(bench: Bench, sides: readonly Side[], number: number): Promise<Repetition> {
  const runs = new Map<Side, SideRun>();
  const before = loadOfMinute();
  const runOne = async (side: Side, pinnedTo: number | null) => {
    const run = await runSide(side, { ...bench, pinnedTo });
    runs.set(side, run);
    process.stderr.write(`pair ${number + 1}: ${side} ${seconds(run.wallMs)} s\n`);
  };
  const ordered = number % 2 === 0 ? sides : sides.toReversed();
  if (values.together) await Promise.all(ordered.map((side, processor) => runOne(side, processor)));
  else for (const side of ordered) await runOne(side, null);
  return { load: [before, loadOfMinute()], runs };
}

function summaryOf(side: Side, repetitions: readonly Repetition[]) {
  const runs = repetitions.flatMap(({ runs }) => runs.get(side) ?? []);
  const ratios = repetitions.map(
    ({ runs }) => (runs.get(side)?.wallMs ?? 0) / (runs.get('plain')?.wallMs ?? 0),
  );
  const peaks = (of: (run: SideRun) => number | null | undefined) => {
    const found = runs.flatMap((run) => of(run) ?? []);
    return found.length === 0 ? null : Math.max(...found);
  };
  const jobs = runs.flatMap(({ job }) => job ?? []);
  return {
    side,
    wallMs: spreadOf(runs.map((run) => run.wallMs)),
    ratios,
    ratio: spreadOf(ratios),
    nodeMib: peaks((run) => run.memory?.nodeMib),
    engineMib: peaks((run) => run.memory?.engineMib),
    togetherMib: peaks((run) => run.memory?.togetherMib),
    clientMib: peaks((run) => run.clientMib),
    coordinationMs: jobs.map((job) => job.metrics.coordinationMs),
    computePerCoordination:
      jobs.length === 0 ? null : spreadOf(jobs.flatMap((job) => job.metrics.ratio ?? [])),
    steps: medianSteps(jobs.map(({ tasks }) => tasks)),
  };
}
type Summary = ReturnType<typeof summaryOf>;

function textOf(report: ReturnType<typeof reportOf>): string {
  const { machine: at, genome, repetitions, summaries } = report;
  const { contigs, bases, coverage } = genome;
  const lines = [
    machineText(at),
    `${contigs} × ${bases} bases at ${coverage}×, ${repetitions.length} pairs`,
    `load average before/after each pair: ${repetitions
      .map(({ load }) => load.map((each) => each.toFixed(1)).join('/'))
      .join(', ')}`,
    '',
    ...summaries.flatMap(summaryLines),
  ];
  return `${lines.join('\n')}\n`;
}

function summaryLines(summary: Summary): string[] {
  const { side, ratio, ratios } = summary;
  const wall = secondsText(summary.wallMs);
  if (side === 'plain') return [`plain script   ${wall}`];
  const share = summary.computePerCoordination?.median ?? 0;
  const goal = `goal ≤ ${GOAL_RATIO}: ${met(ratio.median <= GOAL_RATIO)}`;
  const shareGoal = `goal ≥ ${GOAL_COORDINATION}×: ${met(share >= GOAL_COORDINATION)}`;
  const memory = [
    `node ${mebibytes(summary.nodeMib)}`,
    `Restate ${mebibytes(summary.engineMib)}`,
    `together ${mebibytes(summary.togetherMib)}`,
    `command ${mebibytes(summary.clientMib)}`,
  ];
  return [
    '',
    `${side}   ${wall}`,
    `  ratio to the script      ${ratioText(ratios)}; ${goal}`,
    `  compute / coordination   ${share.toFixed(0)}×; ${shareGoal}`,
    `  peak memory              ${memory.join(', ')}`,
    `  steps, s                 ${stepsText(summary.steps)}`,
  ];
}

function met(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}

function mebibytes(figure: number | null): string {
  return figure === null ? '–' : `${Math.round(figure)} MiB`;
}

function reportOf(sides: readonly Side[], repetitions: readonly Repetition[]) {
  return {
    machine: machine(Number(values.cores)),
    genome: { contigs: values.contigs, bases: values.bases, coverage: values.coverage },
    repetitions: repetitions.map(({ load, runs }) => ({
      load,
      wallMs: Object.fromEntries([...runs].map(([side, run]) => [side, run.wallMs])),
    })),
    summaries: sides.map((side) => summaryOf(side, repetitions)),
  };
}

function chosenSides(): readonly Side[] {
  const asked = new Set(values.sides.split(','));
  for (const side of asked) {
    if (SIDES.some((known) => known === side)) continue;
    throw new AppError('USAGE', `no side ${side}`, { hint: `Known: ${SIDES.join(', ')}.` });
  }
  if (values.together && (asked.size > 1 || availableParallelism() < 2)) {
    throw new AppError('USAGE', '--together takes one side and a machine of two processors', {
      hint: 'Name one side: --sides daemon --together.',
    });
  }
  return SIDES.filter((side) => side === 'plain' || asked.has(side));
}

const sides = chosenSides();
const folder = await mkdtemp(join(tmpdir(), 'hm-bench-'));
try {
  process.stderr.write('simulating and preparing the reference …\n');
  const bench = await prepare(folder);
  const repetitions: Repetition[] = [];
  for (let i = 0; i < Number(values.pairs); i++) repetitions.push(await repeat(bench, sides, i));
  const report = reportOf(sides, repetitions);
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
