/** What reports of benchmarks say alike: the machine, its load, medians with their spread, steps. */
import { cpus, loadavg, totalmem } from 'node:os';
import type { JobView } from '@helixmesh/protocol';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (position: number) => sorted[position] ?? Number.NaN;
  const half = (sorted.length - 1) / 2;
  const median = (at(Math.floor(half)) + at(Math.ceil(half))) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** The minute's average. */
export function loadOfMinute(): number {
  return loadavg()[0] ?? 0;
}

export function machine(cores: number) {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

export function machineText({ cpu, cores, memoryGib, node, date }: ReturnType<typeof machine>) {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${date}`;
}

export function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

/** `62.5 s (58.1–90.0)`. */
export function secondsText({ median, min, max }: Spread): string {
  return `${seconds(median)} s (${seconds(min)}–${seconds(max)})`;
}

export function ratioText(ratios: readonly number[]): string {
  const each = ratios.map((one) => one.toFixed(3)).join(', ');
  return `${spreadOf(ratios).median.toFixed(3)} (pairs: ${each})`;
}

/** When a step ran, ms; null where it did not. */
export type StepTimes = Pick<JobView['tasks'][number], 'name' | 'startedAtMs' | 'endedAtMs'>;

/** Median wall time of each step over jobs, shards of calling from the first start to the last end. */
export function medianSteps(
  jobs: readonly (readonly StepTimes[])[],
): Readonly<Record<string, number>> {
  const figures = new Map<string, number[]>();
  for (const tasks of jobs) {
    const spans = new Map<string, readonly [number, number]>();
    for (const { name, startedAtMs, endedAtMs } of tasks) {
      if (startedAtMs === null || endedAtMs === null) continue;
      const step = name.split('.')[0] ?? name;
      const [start, end] = spans.get(step) ?? [startedAtMs, endedAtMs];
      spans.set(step, [Math.min(start, startedAtMs), Math.max(end, endedAtMs)]);
    }
    for (const [step, [start, end]] of spans) {
      figures.set(step, [...(figures.get(step) ?? []), end - start]);
    }
  }
  return Object.fromEntries([...figures].map(([step, all]) => [step, spreadOf(all).median]));
}

export function stepsText(steps: Readonly<Record<string, number>>): string {
  return Object.entries(steps)
    .map(([name, ms]) => `${name} ${seconds(ms)}`)
    .join(', ');
}
