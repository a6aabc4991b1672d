/**
 * Sex and expected copies: given, or inferred from the depth of X and Y against the autosomes.
 *
 * In XY, X and Y outside of the pseudo-autosomal regions have one copy; in XX, Y is not called.
 * Where sex is not determined, everything is diploid and Y is called, so that nothing is lost.
 * MT has no ploidy: its alleles are told as fractions of the reads.
 */
import { contigKind } from './contig-kind.ts';
import type { Contig, Region } from './input.ts';
import type { Shard, ShardSegment } from './shard-plan.ts';

export type Karyotype = 'XX' | 'XY' | 'undetermined' | 'not applicable';

export interface SexCall {
  readonly karyotype: Karyotype;
  readonly basis: 'given' | 'inferred' | 'not determined';
  /** Depth of X and Y over that of the median autosome; null where it cannot be told. */
  readonly xRatio: number | null;
  readonly yRatio: number | null;
  /** One sentence for people. */
  readonly reason: string;
}

/** Mean depth of one contig over all of its bases. */
export interface ContigDepth {
  readonly refName: string;
  readonly meanDepth: number;
}

/** Two copies of X give a ratio near 1, one copy near 0.5. */
const XX_MIN_X_RATIO = 0.8;
const XY_MAX_X_RATIO = 0.65;
const XY_MIN_X_RATIO = 0.3;
/** One copy of Y gives 0.2–0.5 over the whole contig (half of it is N), none below 0.05. */
const Y_PRESENT_RATIO = 0.12;
/** Below this autosomal depth the ratios are noise. */
const MIN_AUTOSOME_DEPTH = 0.5;

/** Judges by depth. `given` wins over the depth, which is still told. */
export function callSex(depths: readonly ContigDepth[], given: 'infer' | 'XX' | 'XY'): SexCall {
  const of = (kind: string) => depths.filter(({ refName }) => contigKind(refName) === kind);
  const autosome = median(of('autosome').map(({ meanDepth }) => meanDepth));
  const x = of('X')[0]?.meanDepth;
  const y = of('Y')[0]?.meanDepth;
  const ratio = (depth: number | undefined) =>
    depth === undefined || autosome === null || autosome < MIN_AUTOSOME_DEPTH
      ? null
      : round(depth / autosome);
  const evidence = { xRatio: ratio(x), yRatio: ratio(y) };
  const none = (karyotype: Karyotype, reason: string): SexCall => ({
    karyotype,
    basis: 'not determined',
    ...evidence,
    reason,
  });
  if (x === undefined && y === undefined) {
    return none('not applicable', 'The reference has no contig named X or Y.');
  }
  if (given !== 'infer') {
    return { karyotype: given, basis: 'given', ...evidence, reason: 'Sex was given.' };
  }
  if (evidence.xRatio === null) {
    return none('undetermined', 'The depth of X cannot be compared with that of autosomes.');
  }
  return inferred(evidence.xRatio, evidence.yRatio, none);
}

function inferred(
  xRatio: number,
  yRatio: number | null,
  none: (karyotype: Karyotype, reason: string) => SexCall,
): SexCall {
  const told = `X has ${xRatio} of the autosomal depth${yRatio === null ? '' : `, Y ${yRatio}`}.`;
  const hasY = yRatio === null ? null : yRatio >= Y_PRESENT_RATIO;
  const call = (karyotype: Karyotype): SexCall => ({
    ...none(karyotype, told),
    basis: 'inferred',
  });
  if (xRatio >= XX_MIN_X_RATIO && hasY !== true) return call('XX');
  const isOneX = xRatio >= XY_MIN_X_RATIO && xRatio <= XY_MAX_X_RATIO;
  if (isOneX && hasY !== false) return call('XY');
  return none('undetermined', `${told} That is neither XX nor XY; all contigs are diploid.`);
}

/** A region with the copies expected there. */
export interface PloidyRegion extends Region {
  readonly ploidy: 1 | 2;
}

/** Where not two copies are expected: X and Y outside of PAR in XY. In order of contigs. */
export function haploidRegions(
  contigs: readonly Contig[],
  par: readonly Region[],
  karyotype: Karyotype,
): readonly PloidyRegion[] {
  if (karyotype !== 'XY') return [];
  return contigs.flatMap(({ name, lengthBases }) => {
    const kind = contigKind(name);
    if (kind !== 'X' && kind !== 'Y') return [];
    const holes = par
      .filter(({ refName }) => refName === name)
      .toSorted((left, right) => left.start - right.start);
    const regions: PloidyRegion[] = [];
    let start = 0;
    for (const hole of [...holes, { start: lengthBases, end: lengthBases }]) {
      if (hole.start > start) {
        regions.push({ refName: name, start, end: Math.min(hole.start, lengthBases), ploidy: 1 });
      }
      start = Math.max(start, hole.end);
    }
    return regions;
  });
}

/** Those of `regions` that overlap `segments`, cut to them. */
export function clipRegions(
  regions: readonly PloidyRegion[],
  segments: readonly ShardSegment[],
): readonly PloidyRegion[] {
  return segments.flatMap(({ padded }) =>
    regions
      .filter(({ refName, start, end }) => {
        return refName === padded.refName && start < padded.end && padded.start < end;
      })
      .map((region) => ({
        ...region,
        start: Math.max(region.start, padded.start),
        end: Math.min(region.end, padded.end),
      })),
  );
}

/** False for Y in XX: no copy is expected, and what maps there comes from X. */
export function isCalled(shard: Shard, karyotype: Karyotype): boolean {
  return karyotype !== 'XX' || shardKind(shard) !== 'Y';
}

/** The kind of the shard's contig; `other` for a group. */
export function shardKind(shard: Shard): ReturnType<typeof contigKind> {
  const [first, second] = shard.segments;
  return first === undefined || second !== undefined ? 'other' : contigKind(first.core.refName);
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
