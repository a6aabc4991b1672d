/**
 * One haplotype of the sample, played back from the truth and from the calls at once.
 *
 * Invariant: both sides have produced equal bases so far, except that one may be ahead by `ahead`.
 * Since a path whose sides disagree is dropped at the first differing base, only the lead is kept.
 */
import type { Allele } from './variant.ts';

export type Side = 'truth' | 'call';

export interface HaplotypePair {
  /** Reference position, 0-based, up to which each side has been played. */
  readonly truth: number;
  readonly call: number;
  /** Bases that one side has produced beyond the other; empty when level. */
  readonly ahead: string;
  readonly leader: Side;
}

export function startAt(position: number): HaplotypePair {
  return { truth: position, call: position, ahead: '', leader: 'truth' };
}

/** Whether both sides are level in sequence and stand at `position` of the reference. */
export function isLevelAt(pair: HaplotypePair, position: number): boolean {
  return pair.ahead === '' && pair.truth === position && pair.call === position;
}

/** Plays reference on both sides up to `position`; null when the sides disagree. */
export function playReference(
  pair: HaplotypePair,
  position: number,
  bases: (start: number, end: number) => string,
): HaplotypePair | null {
  const { truth, call, ahead } = pair;
  if (truth >= position && call >= position) return pair;
  if (ahead === '' && truth === call) return { ...pair, truth: position, call: position };
  let next: HaplotypePair | null = pair;
  if (truth < position)
    next = produce(next, 'truth', { end: position, bases: bases(truth, position) });
  if (next !== null && call < position) {
    next = produce(next, 'call', { end: position, bases: bases(call, position) });
  }
  return next;
}

/**
 * Plays an allele on one side, after the reference before it. Null when it overlaps what that side
 * has already replaced, or when the sides disagree.
 */
export function playAllele(
  pair: HaplotypePair,
  side: Side,
  allele: Allele,
  bases: (start: number, end: number) => string,
): HaplotypePair | null {
  const from = pair[side];
  if (allele.start < from) return null;
  return produce(pair, side, {
    end: allele.end,
    bases: bases(from, allele.start) + allele.bases,
  });
}

/** Text that is equal for two pairs exactly when every continuation of them is. */
export function pairKey(pair: HaplotypePair): string {
  return `${pair.truth},${pair.call},${pair.ahead === '' ? '' : pair.leader + pair.ahead}`;
}

function produce(
  pair: HaplotypePair,
  side: Side,
  piece: { readonly end: number; readonly bases: string },
): HaplotypePair | null {
  const positions = {
    truth: side === 'truth' ? piece.end : pair.truth,
    call: side === 'call' ? piece.end : pair.call,
  };
  if (pair.ahead === '' || pair.leader === side) {
    return { ...positions, ahead: pair.ahead + piece.bases, leader: side };
  }
  const shared = Math.min(pair.ahead.length, piece.bases.length);
  if (pair.ahead.slice(0, shared) !== piece.bases.slice(0, shared)) return null;
  if (pair.ahead.length > shared) {
    return { ...positions, ahead: pair.ahead.slice(shared), leader: pair.leader };
  }
  return { ...positions, ahead: piece.bases.slice(shared), leader: side };
}
