/**
 * Mean depth of each contig as bars, with the mean over all bases. Of a reference with many
 * contigs the longest have bars of their own and the others share one.
 */
import { depthText, fixed, grouped } from '../format.ts';
import { MAX_CONTIG_BARS } from '../limits.ts';
import type { ContigCoverage } from '../model-qc.ts';
import { frame, niceCeiling } from './frame.ts';
import type { Scene, SceneItem } from './scene.ts';

const WIDTH = 515;
const NAME_SIZE = 6.5;
/** Letters of a line of a contig's name; longer names take two lines or are cut inside. */
const NAME_LETTERS = 7;

export interface ContigBar {
  readonly name: string;
  readonly meanDepth: number;
  /** 1 for a contig's own bar. */
  readonly contigs: number;
}

/** At most MAX_CONTIG_BARS bars in the reference's order, the last for all contigs left over. */
export function contigBars(contigs: readonly ContigCoverage[]): readonly ContigBar[] {
  const own = (contig: ContigCoverage): ContigBar => ({
    name: contig.refName,
    meanDepth: contig.meanDepth,
    contigs: 1,
  });
  if (contigs.length <= MAX_CONTIG_BARS) return contigs.map(own);
  const longest = new Set(
    contigs
      .map((contig, index) => ({ contig, index }))
      .sort((a, b) => b.contig.lengthBases - a.contig.lengthBases || a.index - b.index)
      .slice(0, MAX_CONTIG_BARS - 1)
      .map(({ index }) => index),
  );
  const rest = contigs.filter((_, index) => !longest.has(index));
  return [
    ...contigs.filter((_, index) => longest.has(index)).map(own),
    {
      name: `${grouped(rest.length)} other`,
      meanDepth: weightedDepth(rest),
      contigs: rest.length,
    },
  ];
}

/** Mean depth over the bases of all contigs. */
export function weightedDepth(contigs: readonly ContigCoverage[]): number {
  const length = contigs.reduce((sum, contig) => sum + contig.lengthBases, 0);
  const covered = contigs.reduce((sum, contig) => sum + contig.lengthBases * contig.meanDepth, 0);
  return length === 0 ? 0 : covered / length;
}

export function coverageByContig(contigs: readonly ContigCoverage[]): Scene {
  const bars = contigBars(contigs);
  const mean = weightedDepth(contigs);
  const ceiling = axisEnd(bars, mean);
  const axes = frame({
    width: WIDTH,
    height: 140,
    x: null,
    y: { min: 0, max: ceiling, label: `Mean depth; dashed: all bases, ${depthText(mean)}` },
  });
  const slot = (axes.right - axes.left) / Math.max(1, bars.length);
  const barWidth = Math.min(slot * 0.68, 30);
  const items: SceneItem[] = [...axes.items];
  bars.forEach((bar, index) => {
    const middle = axes.left + slot * (index + 0.5);
    const top = axes.y(bar.meanDepth);
    items.push({
      kind: 'rect',
      at: [middle - barWidth / 2, top],
      size: [barWidth, axes.bottom - top],
      tone: bar.contigs === 1 ? 'accent' : 'second',
    });
    if (bar.meanDepth > ceiling) items.push(overflow(bar, middle, axes.top));
    items.push(...barName(bar, [middle, axes.bottom + 9], slot));
  });
  items.push({
    kind: 'line',
    from: [axes.left, axes.y(mean)],
    to: [axes.right, axes.y(mean)],
    tone: 'ink',
    width: 0.8,
    dash: 3,
  });
  return {
    width: WIDTH,
    height: axes.height,
    title: 'Coverage by contig',
    description: describe(bars, mean),
    items,
  };
}

/** A mitochondrial contig is often a hundred times deeper: it must not flatten the others. */
function axisEnd(bars: readonly ContigBar[], mean: number): number {
  const depths = bars.map((bar) => bar.meanDepth).sort((a, b) => a - b);
  const typical = depths[Math.floor(depths.length * 0.9)] ?? 0;
  const highest = depths.at(-1) ?? 0;
  const limit = Math.max(typical, mean) * 2;
  return niceCeiling(Math.max(1e-3, highest <= limit ? highest : Math.max(typical, mean) * 1.2));
}

function overflow(bar: ContigBar, x: number, y: number): SceneItem {
  return {
    kind: 'text',
    at: [x, y - 2],
    text: `${fixed(bar.meanDepth, 0)}×`,
    size: NAME_SIZE,
    tone: 'ink',
    anchor: 'middle',
    bold: true,
  };
}

/** The name under the bar, on two lines where it is wider than the bar's slot. */
function barName(bar: ContigBar, at: readonly [number, number], slot: number): SceneItem[] {
  const fits = Math.max(2, Math.floor(slot / (NAME_SIZE * 0.52)));
  const name = bar.contigs === 1 ? bar.name.replace(/^chr(?=\w{1,2}$)/, '') : bar.name;
  const lines = name.length <= fits ? [name] : split(name, Math.min(fits, NAME_LETTERS));
  return lines.map((text, index) => ({
    kind: 'text',
    at: [at[0], at[1] + index * 7.5],
    text,
    size: NAME_SIZE,
    tone: 'muted',
    anchor: 'middle',
  }));
}

function split(name: string, fits: number): string[] {
  const words = name.split(' ');
  if (words.length > 1 && words.every((word) => word.length <= fits + 1)) return words.slice(0, 2);
  if (name.length <= fits * 2) return [name.slice(0, fits), name.slice(fits)];
  return [name.slice(0, fits), `…${name.slice(-(fits - 1))}`];
}

function describe(bars: readonly ContigBar[], mean: number): string {
  const low = bars.reduce((a, b) => (b.meanDepth < a.meanDepth ? b : a), bars[0] ?? EMPTY);
  const high = bars.reduce((a, b) => (b.meanDepth > a.meanDepth ? b : a), bars[0] ?? EMPTY);
  return (
    `Mean depth by contig (${bars.length} bars); over all bases ${depthText(mean)}. ` +
    `Lowest ${low.name} at ${depthText(low.meanDepth)}, highest ${high.name} at ` +
    `${depthText(high.meanDepth)}.`
  );
}

const EMPTY: ContigBar = { name: 'none', meanDepth: 0, contigs: 1 };
