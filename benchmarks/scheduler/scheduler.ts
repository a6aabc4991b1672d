/**
 * How long it takes to rank a network of nodes for one task, and how that grows with the network.
 * BENCHMARKS.md says what it does and does not show.
 *
 * Usage: make bench, or bash scripts/node.sh benchmarks/scheduler/scheduler.ts
 *          [--nodes 1000,2000,5000,10000,20000,50000,100000] [--inputs 1] [--runs 101] [--json]
 *
 * The fleet is made from numbers, the same for each run. The report is on standard output.
 */
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { AppError } from '@helixmesh/protocol';
import {
  DEFAULT_POLICY,
  type DecideArguments,
  datasetIdSchema,
  decide,
  encodeDecision,
  type Fleet,
  fleetOf,
  INPUTS_MAX,
  type PlacementRequest,
  place,
  replay,
} from '@helixmesh/scheduler';
import {
  fitFleet,
  inputOf,
  NOW_MS,
  randomFleet,
  requestOf,
} from '@helixmesh/scheduler/testing/fleet';

const GOAL_MS = 5;
const GOAL_NODES = 10_000;
const SEED = 42;
const WARMUP_RUNS = 20;
/** Records are megabytes and slow to write; fewer runs, and no larger networks, say enough. */
const RECORD_RUNS = 3;
const RECORD_NODES_MAX = 10_000;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,2000,5000,10000,20000,50000,100000' },
    inputs: { type: 'string', default: '1' },
    runs: { type: 'string', default: '101' },
    json: { type: 'boolean', default: false },
  },
});

interface Spread {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
}

interface Row {
  readonly nodes: number;
  /** Nodes of the mixed network that meet every constraint. */
  readonly lawful: number;
  /** Constraints, score, order and choice in a network where most nodes fail something. */
  readonly mixedMs: Spread;
  /** The same where every node is lawful: the most work. */
  readonly fitMs: Spread;
  /** Sorting the nodes by id and placing them on the sphere: once for a fleet, not for a task. */
  readonly fleetMs: Spread;
  readonly record: RecordRow | null;
}

interface RecordRow {
  /** The choice with the record of every candidate of the mixed network. */
  readonly decideMs: Spread;
  readonly encodeMs: Spread;
  readonly replayMs: Spread;
  readonly bytes: number;
}

function whole(option: 'inputs' | 'runs', text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new AppError('USAGE', `--${option} ${text}`, { hint: `Give a number from 1 to ${max}.` });
}

/** Wall time of `runs` calls after some that do not count, ms. */
function timed(runs: number, warmup: number, work: () => unknown): Spread {
  for (let run = 0; run < warmup; run++) work();
  const times = Array.from({ length: runs }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  }).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
  return { min: at(0), median: at(0.5), p95: at(0.95) };
}

function requestWith(inputs: number): PlacementRequest {
  return requestOf({
    replicas: 2,
    maxDataLatencyMs: 300,
    maxUserLatencyMs: 300,
    inputs: Array.from({ length: inputs }, (_, n) =>
      inputOf({ datasetId: datasetIdSchema.parse(`dataset-${n}`) }),
    ),
  });
}

function measure(count: number, request: PlacementRequest, runs: number): Row {
  const nodes = randomFleet(count, SEED);
  const mixed = fleetOf(nodes);
  const fit = fleetOf(fitFleet(count, SEED));
  return {
    nodes: count,
    lawful: place(argumentsOf(mixed, request)).lawful,
    mixedMs: timed(runs, WARMUP_RUNS, () => place(argumentsOf(mixed, request))),
    fitMs: timed(runs, WARMUP_RUNS, () => place(argumentsOf(fit, request))),
    fleetMs: timed(RECORD_RUNS, 1, () => fleetOf(nodes.toReversed())),
    record: count > RECORD_NODES_MAX ? null : measureRecord(mixed, request),
  };
}

function measureRecord(fleet: Fleet, request: PlacementRequest): RecordRow {
  const record = decide(argumentsOf(fleet, request));
  if (!replay(record).isSame) throw new AppError('RESULT_DIFFERS', 'the record does not replay');
  return {
    decideMs: timed(RECORD_RUNS, 1, () => decide(argumentsOf(fleet, request))),
    encodeMs: timed(RECORD_RUNS, 1, () => encodeDecision(record)),
    replayMs: timed(RECORD_RUNS, 1, () => replay(record)),
    bytes: encodeDecision(record).length,
  };
}

function argumentsOf(fleet: Fleet, request: PlacementRequest): DecideArguments {
  return { fleet, request, policy: DEFAULT_POLICY, nowMs: NOW_MS };
}

const COLUMNS: Readonly<Record<string, (row: Row) => string>> = {
  nodes: ({ nodes }) => String(nodes),
  lawful: ({ lawful }) => String(lawful),
  mixed: ({ mixedMs }) => figure(mixedMs.median),
  min: ({ mixedMs }) => figure(mixedMs.min),
  p95: ({ mixedMs }) => figure(mixedMs.p95),
  'all fit': ({ fitMs }) => figure(fitMs.median),
  'min ': ({ fitMs }) => figure(fitMs.min),
  'p95 ': ({ fitMs }) => figure(fitMs.p95),
  'µs/node': ({ fitMs, nodes }) => figure((1_000 * fitMs.median) / nodes),
  fleet: ({ fleetMs }) => figure(fleetMs.median),
  record: ({ record }) => figure(record?.decideMs.median),
  encode: ({ record }) => figure(record?.encodeMs.median),
  replay: ({ record }) => figure(record?.replayMs.median),
  MiB: ({ record }) => figure(record === null ? undefined : record.bytes / 2 ** 20),
};

function figure(value: number | undefined): string {
  if (value === undefined) return '–';
  return value.toFixed(value < 10 ? 2 : 0);
}

function textOf(report: ReturnType<typeof reportOf>): string {
  const { machine: at, inputs, runs, load, rows } = report;
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(9)).join('');
  const goal = rows.find(({ nodes }) => nodes === GOAL_NODES);
  const verdict = ({ median }: Spread) => (median <= GOAL_MS ? 'met' : 'MISSED');
  return [
    `${at.cpu}, ${at.cores} cores, ${at.memoryGib} GiB, Node ${at.node}, ${at.date}`,
    `${inputs} inputs, ${runs} runs, load average before/after ${load.join('/')}; medians in ms`,
    line(Object.keys(COLUMNS)),
    ...rows.map((row) => line(Object.values(COLUMNS).map((cell) => cell(row)))),
    ...(goal === undefined
      ? []
      : [
          `goal, ${GOAL_NODES} nodes ranked in ≤ ${GOAL_MS} ms: mixed ${verdict(goal.mixedMs)}, ` +
            `all fit ${verdict(goal.fitMs)}`,
        ]),
    '',
  ].join('\n');
}

function reportOf() {
  const inputs = whole('inputs', values.inputs, INPUTS_MAX);
  const runs = whole('runs', values.runs, 10_000);
  const request = requestWith(inputs);
  const before = loadOfMinute();
  const rows = values.nodes.split(',').map((count) => measure(Number(count), request, runs));
  return {
    machine: {
      date: new Date().toISOString(),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGib: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    inputs,
    runs,
    load: [before, loadOfMinute()],
    rows,
  };
}

function loadOfMinute(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

const report = reportOf();
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
