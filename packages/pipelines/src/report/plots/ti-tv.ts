/**
 * Ti/Tv on a scale with the expected ranges: 2.0–2.1 over a human genome, 3.0–3.3 over an exome
 * are what is commonly expected, without a published limit. Random errors pull it towards 0.5.
 */
import { fixed, grouped } from '../format.ts';
import type { PlotData } from '../model-qc.ts';
import { label, PLOT_HEIGHT, PLOT_WIDTH } from './frame.ts';
import type { Scene, SceneItem } from './scene.ts';

type TiTv = NonNullable<PlotData['tiTv']>;

export const TI_TV_RANGES = {
  genome: { from: 2.0, to: 2.1, name: 'genome 2.0–2.1' },
  exome: { from: 3.0, to: 3.3, name: 'exome 3.0–3.3' },
} as const;
export const TI_TV_EXPECTED = '2.0–2.1 genome, 3.0–3.3 exome';
export const TI_TV_SOURCE = 'commonly expected; no published standard';

const SCALE_END = 4;

export function tiTv(data: TiTv): Scene {
  const [left, right, middle] = [16, PLOT_WIDTH - 16, 84];
  const x = (ratio: number) => left + (Math.min(SCALE_END, ratio) / SCALE_END) * (right - left);
  const bar = (from: number, to: number, tone: 'panel' | 'pass'): SceneItem => ({
    kind: 'rect',
    at: [x(from), middle - 7],
    size: [x(to) - x(from), 14],
    tone,
    ...(tone === 'panel' ? { radius: 3 } : {}),
  });
  const items: SceneItem[] = [
    {
      kind: 'text',
      at: [left, 34],
      text: fixed(data.ratio, 2),
      size: 24,
      tone: 'ink',
      bold: true,
    },
    label([left + 62, 34], `${grouped(data.transitions)} Ti / ${grouped(data.transversions)} Tv`),
    bar(0, SCALE_END, 'panel'),
  ];
  for (const range of Object.values(TI_TV_RANGES)) {
    items.push(bar(range.from, range.to, 'pass'));
    items.push(label([x((range.from + range.to) / 2), middle + 31], range.name, 'middle'));
  }
  for (const tick of [0, 0.5, 1, 2, 3, 4]) {
    items.push(label([x(tick), middle + 18], String(tick), 'middle'));
  }
  items.push(label([x(0.5), middle + 31], 'random 0.5', 'middle'));
  const at = x(data.ratio);
  items.push({
    kind: 'polygon',
    points: [
      [at, middle - 8],
      [at - 5, middle - 18],
      [at + 5, middle - 18],
    ],
    tone: 'ink',
  });
  items.push({
    kind: 'line',
    from: [at, middle - 9],
    to: [at, middle + 7],
    tone: 'ink',
    width: 1.2,
  });
  items.push(label([left, PLOT_HEIGHT - 5], `Green: expected. ${TI_TV_SOURCE}.`));
  return {
    width: PLOT_WIDTH,
    height: PLOT_HEIGHT,
    title: 'Transitions to transversions (Ti/Tv)',
    description:
      `Ti/Tv is ${fixed(data.ratio, 2)}; 2.0–2.1 is expected over a human genome and 3.0–3.3 ` +
      'over an exome.',
    items,
  };
}
