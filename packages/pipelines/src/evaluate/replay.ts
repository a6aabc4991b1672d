/**
 * Haplotype replay: the largest subsets of the truth and of the calls of one cluster that turn the
 * reference into the same unordered pair of haplotypes.
 *
 * The idea is that of rtg vcfeval (Cleary et al., "Comparing Variant Call Files for Performance
 * Benchmarking of Next-Generation Sequencing Variant Calling Pipelines", bioRxiv 023754, 2015):
 * variants are taken from left to right; at each one every state branches into leaving it out and
 * playing it in each orientation; states whose two sides disagree are dropped, and of states with
 * an equal future the better is kept. Written here as dynamic programming over the variants.
 *
 * Invariants:
 *  1. A path is only kept at a point where both sides are level again when variants of both sides
 *     took part since the last such point: calls that cancel each other out match nothing.
 *  2. Better = more variants of both sides together; then a more even share of the two sides within
 *     a segment; then more segments, which is the simpler explanation. Then the one found first.
 */

import type { Side } from './haplotype-pair.ts';
import {
  type HaplotypePair,
  isLevelAt,
  pairKey,
  playAllele,
  playReference,
  startAt,
} from './haplotype-pair.ts';
import { MAX_REPLAY_STATES } from './limits.ts';
import type { Allele, ReferenceSequence, SmallVariant } from './variant.ts';

/** Whether both alleles must agree, or any one non-reference allele is enough. */
export type MatchMode = 'genotype' | 'allele';

/** Variants between two points where all haplotypes are level; none of the lists is empty. */
export interface MatchedSegment {
  readonly truth: readonly SmallVariant[];
  readonly calls: readonly SmallVariant[];
}

export interface ReplayInput {
  readonly truth: readonly SmallVariant[];
  readonly calls: readonly SmallVariant[];
  readonly reference: ReferenceSequence;
  readonly mode: MatchMode;
}

interface Chosen {
  readonly side: Side;
  readonly variant: SmallVariant;
  readonly opensSegment: boolean;
  readonly before: Chosen | null;
}

interface State {
  /** One per haplotype: two for genotypes, one for single alleles. */
  readonly pairs: readonly HaplotypePair[];
  readonly chosen: Chosen | null;
  readonly count: number;
  readonly segments: number;
  readonly unevenness: number;
  /** Variants since the last level point. */
  readonly truthSince: number;
  readonly callsSince: number;
}

/** The matched segments from left to right, or `'too_complex'` beyond `MAX_REPLAY_STATES`. */
export function replay(input: ReplayInput): readonly MatchedSegment[] | 'too_complex' {
  const events = [
    ...input.truth.map((variant) => ({ side: 'truth' as const, variant })),
    ...input.calls.map((variant) => ({ side: 'call' as const, variant })),
  ].sort((a, b) => a.variant.start - b.variant.start || a.variant.end - b.variant.end);
  const begin = Math.min(...events.map(({ variant }) => variant.start));
  const end = Math.max(...events.map(({ variant }) => variant.end));
  const window = input.reference.slice(begin, end);
  const bases = (from: number, to: number): string => window.slice(from - begin, to - begin);
  const pairs = input.mode === 'genotype' ? [startAt(begin), startAt(begin)] : [startAt(begin)];
  const first = { truthSince: 0, callsSince: 0, count: 0, segments: 0, unevenness: 0 };
  let states: readonly State[] = [{ pairs, chosen: null, ...first }];
  for (const event of events) {
    const next = new Map<string, State>();
    for (const state of states) {
      const here = advance(state, event.variant.start, bases);
      if (here === null) continue;
      keepBetter(next, here);
      for (const orientation of orientations(event.variant, input.mode)) {
        const taken = include(here, event, { orientation, bases });
        if (taken !== null) keepBetter(next, taken);
      }
    }
    if (next.size > MAX_REPLAY_STATES) return 'too_complex';
    states = [...next.values()];
  }
  const finished = new Map<string, State>();
  for (const state of states) {
    const last = advance(state, end, bases);
    if (last?.pairs.every((pair) => isLevelAt(pair, end))) keepBetter(finished, last);
  }
  const [best] = finished.values();
  return best === undefined ? [] : segmentsOf(best.chosen);
}

/** Plays reference up to `position`, closing the segment when everything is level there. */
function advance(
  state: State,
  position: number,
  bases: (start: number, end: number) => string,
): State | null {
  const pairs: HaplotypePair[] = [];
  for (const pair of state.pairs) {
    const played = playReference(pair, position, bases);
    if (played === null) return null;
    pairs.push(played);
  }
  const { truthSince, callsSince } = state;
  if (truthSince + callsSince === 0 || !pairs.every((pair) => isLevelAt(pair, position))) {
    return { ...state, pairs };
  }
  if (truthSince === 0 || callsSince === 0) return null; // Invariant 1.
  return {
    ...state,
    pairs,
    truthSince: 0,
    callsSince: 0,
    segments: state.segments + 1,
    unevenness: state.unevenness + Math.abs(truthSince - callsSince),
  };
}

function include(
  state: State,
  event: { readonly side: Side; readonly variant: SmallVariant },
  how: {
    readonly orientation: readonly (Allele | null)[];
    readonly bases: (start: number, end: number) => string;
  },
): State | null {
  const pairs: HaplotypePair[] = [];
  for (const [index, pair] of state.pairs.entries()) {
    const allele = how.orientation[index] ?? null;
    const played = allele === null ? pair : playAllele(pair, event.side, allele, how.bases);
    if (played === null) return null;
    pairs.push(played);
  }
  const opensSegment = state.truthSince + state.callsSince === 0;
  return {
    ...state,
    pairs,
    chosen: { ...event, opensSegment, before: state.chosen },
    count: state.count + 1,
    truthSince: state.truthSince + (event.side === 'truth' ? 1 : 0),
    callsSince: state.callsSince + (event.side === 'call' ? 1 : 0),
  };
}

function orientations(
  variant: SmallVariant,
  mode: MatchMode,
): readonly (readonly (Allele | null)[])[] {
  const [a, b] = variant.alleles;
  if (mode === 'genotype')
    return isSameAllele(a, b)
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ];
  const changed = [a, b].filter((allele) => allele !== null);
  return (isSameAllele(a, b) ? changed.slice(0, 1) : changed).map((allele) => [allele]);
}

function isSameAllele(a: Allele | null, b: Allele | null): boolean {
  return a?.start === b?.start && a?.end === b?.end && a?.bases === b?.bases;
}

/** Keeps the better of two states with one future. The haplotypes are unordered: keys are sorted. */
function keepBetter(states: Map<string, State>, state: State): void {
  const open = `${state.truthSince > 0}${state.callsSince > 0}`;
  const key = `${state.pairs.map(pairKey).sort().join('|')}|${open}`;
  const known = states.get(key);
  if (known === undefined || isBetter(state, known)) states.set(key, state);
}

function isBetter(a: State, b: State): boolean {
  if (a.count !== b.count) return a.count > b.count; // Invariant 2.
  const unevenness = openUnevenness(a) - openUnevenness(b);
  return unevenness === 0 ? a.segments > b.segments : unevenness < 0;
}

function openUnevenness(state: State): number {
  return state.unevenness + Math.abs(state.truthSince - state.callsSince);
}

function segmentsOf(last: Chosen | null): readonly MatchedSegment[] {
  const segments: { truth: SmallVariant[]; calls: SmallVariant[] }[] = [];
  const chosen: Chosen[] = [];
  for (let node = last; node !== null; node = node.before) chosen.push(node);
  for (const { side, variant, opensSegment } of chosen.reverse()) {
    if (opensSegment) segments.push({ truth: [], calls: [] });
    segments.at(-1)?.[side === 'truth' ? 'truth' : 'calls'].push(variant);
  }
  return segments;
}
