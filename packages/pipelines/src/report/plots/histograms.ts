/** Distributions: insert size, allele balance of heterozygous calls, and breadth of coverage. */
import { fixed, grouped, percent } from '../format.ts';
import type { Histogram, PlotData } from '../model-qc.ts';
import { type Frame, frame, label, niceCeiling } from './frame.ts';
import type { Point, Scene, SceneItem } from './scene.ts';

type InsertSize = NonNullable<PlotData['insertSize']>;
type AlleleBalance = NonNullable<PlotData['alleleBalance']>;
type Breadth = NonNullable<PlotData['breadth']>;

/** Length of the fragments between paired reads, with the median. */
export function insertSize(data: InsertSize): Scene {
  const { histogram } = data;
  const shown = lastFilled(histogram);
  const axes = frame({
    x: { min: histogram.start, max: niceCeiling(shown), label: 'Insert size (bp)' },
    y: { min: 0, max: niceCeiling(tallest(histogram)), label: 'Read pairs' },
  });
  const median = data.medianBases;
  const items: SceneItem[] = [...axes.items, area(axes, histogram)];
  if (median !== null) items.push(...marker(axes, median, `median ${fixed(median, 0)} bp`));
  return {
    width: axes.width,
    height: axes.height,
    title: 'Insert size',
    description: `Distribution of insert sizes${
      median === null ? '' : `; the median is ${fixed(median, 0)} bases`
    }.`,
    items,
  };
}

/** ALT fraction of heterozygous calls; half of the reads are expected to carry the allele. */
export function alleleBalance(data: AlleleBalance): Scene {
  const { histogram } = data;
  const axes = frame({
    x: { min: 0, max: 1, label: 'ALT fraction of heterozygous calls' },
    y: { min: 0, max: niceCeiling(tallest(histogram)), label: 'Calls' },
  });
  const bars = histogram.counts.map((count, index): SceneItem => {
    const left = axes.x(histogram.start + index * histogram.binWidth);
    const right = axes.x(histogram.start + (index + 1) * histogram.binWidth);
    const top = axes.y(count);
    return {
      kind: 'rect',
      at: [left + 0.4, top],
      size: [Math.max(0.4, right - left - 0.8), axes.bottom - top],
      tone: 'accent',
    };
  });
  return {
    width: axes.width,
    height: axes.height,
    title: 'Allele balance',
    description:
      `ALT fraction of ${grouped(data.calls)} heterozygous calls; the fullest bin is around ` +
      `${fixed(mode(histogram), 2)}, 0.5 is expected.`,
    items: [...axes.items, ...bars, ...marker(axes, 0.5, 'expected 0.5')],
  };
}

/** Share of the bases covered at least so deep. */
export function breadth(data: Breadth): Scene {
  const deepest = data.reduce((a, b) => Math.max(a, b.depth), 1);
  const axes = frame({
    x: { min: 0, max: niceCeiling(deepest), label: 'Depth of at least' },
    y: { min: 0, max: 1, label: 'Share of bases', format: (value) => percent(value, 0) },
  });
  const points = data.map((point): Point => [axes.x(point.depth), axes.y(point.fraction)]);
  const at = (depth: number) => data.find((point) => point.depth === depth)?.fraction;
  const told = [10, 20, 30]
    .map((depth) => ({ depth, fraction: at(depth) }))
    .filter((point) => point.fraction !== undefined)
    .map((point) => `${percent(point.fraction ?? 0)} at ${point.depth}× or more`);
  return {
    width: axes.width,
    height: axes.height,
    title: 'Breadth of coverage',
    description: `Share of bases by depth: ${told.join(', ')}.`,
    items: [...axes.items, { kind: 'polyline', points, tone: 'accent', width: 1.4 }],
  };
}

function area(axes: Frame, histogram: Histogram): SceneItem {
  const points: Point[] = [[axes.x(histogram.start), axes.bottom]];
  histogram.counts.forEach((count, index) => {
    const middle = histogram.start + (index + 0.5) * histogram.binWidth;
    points.push([axes.x(middle), axes.y(count)]);
  });
  const end = histogram.start + histogram.counts.length * histogram.binWidth;
  points.push([axes.x(end), axes.bottom]);
  return { kind: 'polygon', points, tone: 'accent' };
}

function marker(axes: Frame, value: number, text: string): readonly SceneItem[] {
  const x = axes.x(value);
  return [
    {
      kind: 'line',
      from: [x, axes.top],
      to: [x, axes.bottom],
      tone: 'ink',
      width: 0.8,
      dash: 3,
    },
    label([axes.right, axes.top - 7], `dashed: ${text}`, 'end'),
  ];
}

function tallest(histogram: Histogram): number {
  return histogram.counts.reduce((a, b) => Math.max(a, b), 0);
}

function mode(histogram: Histogram): number {
  const index = histogram.counts.indexOf(tallest(histogram));
  return histogram.start + (index + 0.5) * histogram.binWidth;
}

/** Where all but the last thousandth of the counts lie. */
function lastFilled(histogram: Histogram): number {
  const total = histogram.counts.reduce((a, b) => a + b, 0);
  let seen = 0;
  for (const [index, count] of histogram.counts.entries()) {
    seen += count;
    if (seen >= total * 0.999) return histogram.start + (index + 1) * histogram.binWidth;
  }
  return histogram.start + histogram.counts.length * histogram.binWidth;
}
