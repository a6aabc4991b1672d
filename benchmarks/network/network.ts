/**
 * A sample on a network against the same sample on one machine: `biofs analyze` and `result` at a
 * devnet beside `helixmesh run`, with as many cores in all, in pairs; and what the network adds, by
 * phase. BENCHMARKS.md says what it does and does not show.
 *
 *   bash scripts/node.sh benchmarks/network/network.ts [--contigs 24] [--bases 200000]
 *     [--coverage 30] [--pairs 3] [--cores N] [--spread N] [--redundancy 1] [--computes N] [--json]
 *
 * The whole sample goes to one node unless `--spread` cuts it into so many parts. Cores are shared out
 * among `--computes` nodes: one, or as many as spread and redundancy need. The order of the sides turns
 * round with each pair. All data is made anew in a temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { canonicalDigest } from '@helixmesh/pipelines';
import { AppError, jobViewSchema } from '@helixmesh/protocol';
import type { NetworkJobView } from '@helixmesh/protocol/sealing';
import { commandOf, timed } from '../support/commands.ts';
import {
  loadOfMinute,
  machine,
  machineText,
  medianSteps,
  ratioText,
  type StepTimes,
  seconds,
  secondsText,
  spreadOf,
  stepsText,
} from '../support/figures.ts';
import {
  copyReference,
  type Input,
  prepareInput,
  REFERENCE,
  readsOf,
} from '../support/simulated.ts';
import { type Devnet, startDevnet } from './devnet.ts';
import { PHASES, type Phase, phasesOf, stepsOf } from './phases.ts';
import { watchAttempts } from './watch-attempts.ts';

/** Name of the sample at a node, and here, so that both results are the same. */
const SAMPLE = 'sample';
const COMPARED = [
  { file: `${SAMPLE}.bam`, format: 'bam' },
  { file: `${SAMPLE}.vcf.gz`, format: 'vcf' },
] as const;

const { values } = parseArgs({
  options: {
    bases: { type: 'string', default: '200000' },
    contigs: { type: 'string', default: '24' },
    coverage: { type: 'string', default: '30' },
    pairs: { type: 'string', default: '3' },
    cores: { type: 'string', default: String(availableParallelism()) },
    spread: { type: 'string', default: '1' },
    redundancy: { type: 'string', default: '1' },
    computes: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const cores = Number(values.cores);
const spread = Number(values.spread);
const redundancy = Number(values.redundancy);
/** One part of a spread job is done again at another node. */
const computes = Number(values.computes ?? Math.max(redundancy, spread > 1 ? 2 : 1));

interface Run {
  readonly wallMs: number;
  readonly outDir: string;
  readonly steps: readonly StepTimes[];
}

interface NetworkRun extends Run {
  readonly phases: Readonly<Record<Phase, number>>;
}

interface Pair {
  /** The minute's average before the first and after the last side. */
  readonly load: readonly [number, number];
  readonly alone: Run;
  readonly network: NetworkRun;
}

/** A node of its own in a fresh data folder with the prepared reference alone. */
async function runAlone(input: Input, place: string): Promise<Run> {
  const dataDir = join(place, 'data');
  await copyReference(input, dataDir);
  const outDir = join(place, 'alone');
  const [r1, r2] = readsOf(input);
  const sample = ['--sample', SAMPLE, '--r1', r1, '--r2', r2, '--reference', REFERENCE];
  const args = ['--quiet', 'run', ...sample, '--out', outDir];
  const env = { HELIXMESH_CORES: String(cores) };
  const { ms: wallMs, stdout } = await timed(commandOf('helixmesh', dataDir, args, env));
  const [job] = jobViewSchema.array().parse(JSON.parse(stdout));
  return { wallMs, outDir, steps: job?.tasks ?? [] };
}

async function runOnNetwork(net: Devnet, place: string): Promise<NetworkRun> {
  const outDir = join(place, 'network');
  const terms = ['--reference', REFERENCE, '--redundancy', String(redundancy), '--anew'];
  const parts = spread > 1 ? ['--spread', String(spread)] : [];
  const where = ['--coordinator', net.coordinator, '--wait'];
  const watch = watchAttempts(net.computeDirs);
  try {
    const askedAtMs = Date.now();
    const asked = await net.biofs(['analyze', ...net.datasets, ...terms, ...parts, ...where]);
    const toldAtMs = Date.now();
    const view: NetworkJobView = JSON.parse(asked.stdout);
    await net.biofs(['result', view.jobId, '--out', outDir]);
    const checkedAtMs = Date.now();
    const times = { askedAtMs, toldAtMs, checkedAtMs, view, marksOf: watch.marksOf };
    const wallMs = checkedAtMs - askedAtMs;
    return { wallMs, outDir, steps: stepsOf(times), phases: phasesOf(times) };
  } finally {
    watch.stop();
  }
}

async function runPair(net: Devnet, input: Input, number: number): Promise<Pair> {
  const place = await mkdtemp(join(folder, 'pair-'));
  const before = loadOfMinute();
  const told = async <T extends Run>(side: string, run: Promise<T>): Promise<T> => {
    const done = await run;
    process.stderr.write(`pair ${number + 1}: ${side} ${seconds(done.wallMs)} s\n`);
    return done;
  };
  const onNetwork = () => told('network', runOnNetwork(net, place));
  const onMachine = () => told('one machine', runAlone(input, place));
  const isNetworkFirst = number % 2 === 0;
  const early = isNetworkFirst ? await onNetwork() : null;
  const alone = await onMachine();
  const network = early ?? (await onNetwork());
  const load = [before, loadOfMinute()] as const;
  await assertSame(alone, network);
  await rm(place, { recursive: true, force: true, maxRetries: 5 });
  return { load, alone, network };
}

/** A side that did other work is no measure of the other. */
async function assertSame(alone: Run, network: Run): Promise<void> {
  for (const { file, format } of COMPARED) {
    const [one, other] = await Promise.all(
      [alone, network].map(({ outDir }) => canonicalDigest(join(outDir, file), format)),
    );
    if (one?.digest === other?.digest) continue;
    throw new AppError('RESULT_DIFFERS', `${file} of the network is not that of one machine`);
  }
}

function reportOf(pairs: readonly Pair[], peaks: Readonly<Record<string, number>>) {
  const ofNetwork = pairs.map(({ network }) => network);
  const ofMachine = pairs.map(({ alone }) => alone);
  const phases = (Object.keys(PHASES) as Phase[]).map((name) => ({
    name,
    ms: spreadOf(ofNetwork.map((run) => run.phases[name])),
  }));
  return {
    machine: machine(cores),
    job: { ...values, computes, coresEach: coresEach() },
    load: pairs.map(({ load }) => load),
    aloneMs: spreadOf(ofMachine.map(({ wallMs }) => wallMs)),
    networkMs: spreadOf(ofNetwork.map(({ wallMs }) => wallMs)),
    ratios: pairs.map(({ alone, network }) => network.wallMs / alone.wallMs),
    addedMs: pairs.map(({ alone, network }) => network.wallMs - alone.wallMs),
    phases,
    steps: {
      alone: medianSteps(ofMachine.map(({ steps }) => steps)),
      network: medianSteps(ofNetwork.map(({ steps }) => steps)),
    },
    peakMib: Object.fromEntries(
      Object.entries(peaks).map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]),
    ),
  };
}

function textOf(report: ReturnType<typeof reportOf>): string {
  const { job, load, steps, peakMib } = report;
  const cut = spread > 1 ? `in ${spread} parts` : 'whole';
  const nodes = `compute nodes: ${job.computes}, of ${job.coresEach} cores`;
  const added = report.addedMs.map(seconds);
  const lines = [
    machineText(report.machine),
    `${job.contigs} × ${job.bases} bases at ${job.coverage}×, ${load.length} pairs; ` +
      `${cut}, redundancy ${job.redundancy}, ${nodes}`,
    `load average before/after each pair: ${load
      .map((each) => each.map((one) => one.toFixed(1)).join('/'))
      .join(', ')}`,
    '',
    `one machine    ${secondsText(report.aloneMs)}`,
    `network        ${secondsText(report.networkMs)}`,
    `ratio          ${ratioText(report.ratios)}`,
    `added, s       ${added.join(', ')}`,
    '',
    'where the time on the network goes:',
    ...report.phases.map(
      ({ name, ms }) => `  ${name.padEnd(9)} ${secondsText(ms).padEnd(24)} ${PHASES[name]}`,
    ),
    '',
    `steps on one machine, s   ${stepsText(steps.alone)}`,
    // Stages of a spread sample take over what earlier ones did under the same names.
    ...(spread > 1 ? [] : [`steps on the network, s   ${stepsText(steps.network)}`]),
    `peak memory, MiB          ${Object.entries(peakMib)
      .map(([name, mib]) => `${name} ${mib}`)
      .join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function coresEach(): number {
  return Math.max(1, Math.floor(cores / computes));
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
const folder = await mkdtemp(join(tmpdir(), 'hm-bench-'));
try {
  process.stderr.write('simulating and preparing the reference …\n');
  const input = await prepareInput(folder, SAMPLE, {
    contigs: Number(values.contigs),
    basesPerContig: Number(values.bases),
    coverage: Number(values.coverage),
  });
  process.stderr.write('starting the network; its nodes prove themselves …\n');
  const net = await startDevnet({ folder, input, computes, coresEach: coresEach() });
  try {
    const pairs: Pair[] = [];
    for (let i = 0; i < Number(values.pairs); i++) pairs.push(await runPair(net, input, i));
    const report = reportOf(pairs, net.peaks());
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  } finally {
    await net.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
