/** Axes of a plot: a frame with grid lines, ticks and labels, and the mapping into it. */
import { fixed, grouped } from '../format.ts';
import type { Point, SceneItem } from './scene.ts';

/** Points; two plots stand side by side on an A4 page. */
export const PLOT_WIDTH = 250;
export const PLOT_HEIGHT = 142;
const LABEL_SIZE = 7;
const TICKS = 5;

export interface FrameOptions {
  readonly width?: number;
  readonly height?: number;
  readonly x: Axis | null;
  readonly y: Axis;
}

export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly label: string;
  readonly format?: (value: number) => string;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Grid and labels; put them before the data. */
  readonly items: readonly SceneItem[];
  x(value: number): number;
  y(value: number): number;
}

/** A frame for data in `x` by `y`; without `x` the caller draws its own categories. */
export function frame(options: FrameOptions): Frame {
  const width = options.width ?? PLOT_WIDTH;
  const height = options.height ?? PLOT_HEIGHT;
  const [left, right, top, bottom] = [34, width - 6, 16, height - 28];
  const x = scale(options.x ?? { min: 0, max: 1, label: '' }, left, right);
  const y = scale(options.y, bottom, top);
  const items: SceneItem[] = [];
  for (const tick of ticks(options.y)) {
    const level = y(tick);
    items.push({ kind: 'line', from: [left, level], to: [right, level], tone: 'grid', width: 0.5 });
    items.push(label([left - 4, level + 2.4], tickText(options.y, tick), 'end'));
  }
  items.push({
    kind: 'line',
    from: [left, bottom],
    to: [right, bottom],
    tone: 'faint',
    width: 0.75,
  });
  items.push(label([left, top - 7], options.y.label, 'start'));
  if (options.x !== null) {
    for (const tick of ticks(options.x)) {
      const at = x(tick);
      items.push({
        kind: 'line',
        from: [at, bottom],
        to: [at, bottom + 3],
        tone: 'faint',
        width: 0.75,
      });
      items.push(label([at, bottom + 11], tickText(options.x, tick), 'middle'));
    }
    items.push(label([(left + right) / 2, height - 5], options.x.label, 'middle'));
  }
  return { width, height, left, right, top, bottom, items, x, y };
}

export function label(
  at: Point,
  text: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): SceneItem {
  return { kind: 'text', at, text, size: LABEL_SIZE, tone: 'muted', anchor };
}

/** Round values within the axis, about five of them. */
export function ticks(axis: Pick<Axis, 'min' | 'max'>): readonly number[] {
  const step = niceStep((axis.max - axis.min) / TICKS);
  const first = Math.ceil(axis.min / step - 1e-9);
  const last = Math.floor(axis.max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** The smallest round number above `value` on which an axis can end. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const step = niceStep(value / TICKS);
  return Math.ceil(value / step - 1e-9) * step;
}

function niceStep(raw: number): number {
  if (!(raw > 0)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const nice = [1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= raw * (1 - 1e-9)) ?? 10;
  return nice * magnitude;
}

function scale(axis: Pick<Axis, 'min' | 'max'>, from: number, to: number) {
  const span = axis.max - axis.min || 1;
  return (value: number): number => {
    const share = Math.min(1, Math.max(0, (value - axis.min) / span));
    return from + share * (to - from);
  };
}

function tickText(axis: Axis, value: number): string {
  if (axis.format !== undefined) return axis.format(value);
  if (Math.abs(value) >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (Math.abs(value) >= 1e4) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}

function trimmed(value: number): string {
  return Number.isInteger(value) ? grouped(value) : fixed(value, 2).replace(/0+$/, '');
}
