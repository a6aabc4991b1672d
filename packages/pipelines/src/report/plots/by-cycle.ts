/** Series over sequencing cycles: mean base quality, and G+C content. */
import { percent } from '../format.ts';
import type { PlotData } from '../model-qc.ts';
import { type Frame, frame, label, niceCeiling } from './frame.ts';
import type { Point, Scene, SceneItem } from './scene.ts';

type ReadSeries = NonNullable<PlotData['qualityByCycle']>;

/** Mean Phred quality by cycle over bands of good (from 30), fair (20–30) and poor quality. */
export function qualityByCycle(data: ReadSeries): Scene {
  const max = Math.max(40, niceCeiling(highest(data)));
  const axes = frame({
    x: { min: 1, max: Math.max(2, cycles(data)), label: 'Sequencing cycle' },
    y: { min: 0, max, label: 'Mean Phred quality' },
  });
  const band = (from: number, to: number, tone: 'passTint' | 'warnTint' | 'failTint') =>
    ({
      kind: 'rect',
      at: [axes.left, axes.y(to)],
      size: [axes.right - axes.left, axes.y(from) - axes.y(to)],
      tone,
    }) as const;
  return {
    ...size(axes),
    title: 'Quality by cycle',
    description: describe('Mean Phred quality', data, (value) => value.toFixed(1)),
    items: [
      band(30, max, 'passTint'),
      band(20, 30, 'warnTint'),
      band(0, 20, 'failTint'),
      ...axes.items,
      ...lines(axes, data),
    ],
  };
}

/** G+C fraction by cycle; a flat line is what an unbiased library gives. */
export function gcByCycle(data: ReadSeries): Scene {
  const axes = frame({
    x: { min: 1, max: Math.max(2, cycles(data)), label: 'Sequencing cycle' },
    y: { ...gcRange(data), label: 'G+C content', format: (value) => percent(value, 0) },
  });
  return {
    ...size(axes),
    title: 'G+C content by cycle',
    description: describe('G+C content', data, (value) => percent(value)),
    items: [...axes.items, ...lines(axes, data)],
  };
}

function lines(axes: Frame, data: ReadSeries): readonly SceneItem[] {
  const items: SceneItem[] = [];
  const draw = (series: readonly number[], tone: 'accent' | 'second') => {
    const points = series.map((value, index): Point => [axes.x(index + 1), axes.y(value)]);
    items.push({ kind: 'polyline', points, tone, width: 1.4 });
  };
  draw(data.read1, 'accent');
  if (data.read2 !== null) draw(data.read2, 'second');
  const names = data.read2 === null ? (['Reads'] as const) : (['Read 1', 'Read 2'] as const);
  names.forEach((name, index) => {
    const x = axes.right - (names.length - index) * 38;
    items.push({
      kind: 'line',
      from: [x, axes.top - 9.5],
      to: [x + 9, axes.top - 9.5],
      tone: index === 0 ? 'accent' : 'second',
      width: 1.8,
    });
    items.push(label([x + 12, axes.top - 7], name));
  });
  return items;
}

/** 20–70 % unless the data lie outside. */
function gcRange(data: ReadSeries): { readonly min: number; readonly max: number } {
  const all = [...data.read1, ...(data.read2 ?? [])];
  const isUsual = all.every((value) => value >= 0.2 && value <= 0.7);
  return isUsual ? { min: 0.2, max: 0.7 } : { min: 0, max: 1 };
}

function cycles(data: ReadSeries): number {
  return Math.max(data.read1.length, data.read2?.length ?? 0);
}

function highest(data: ReadSeries): number {
  return [...data.read1, ...(data.read2 ?? [])].reduce((a, b) => Math.max(a, b), 0);
}

function describe(what: string, data: ReadSeries, write: (value: number) => string): string {
  const told = (name: string, series: readonly number[]) =>
    `${name}: ${write(series[0] ?? 0)} at the first cycle, ${write(series.at(-1) ?? 0)} at the ` +
    `last, lowest ${write(series.reduce((a, b) => Math.min(a, b), series[0] ?? 0))}`;
  const second = data.read2 === null ? '' : `; ${told('read 2', data.read2)}`;
  return `${what} over ${cycles(data)} cycles. ${told('Read 1', data.read1)}${second}.`;
}

function size(axes: Frame): Pick<Scene, 'width' | 'height'> {
  return { width: axes.width, height: axes.height };
}
