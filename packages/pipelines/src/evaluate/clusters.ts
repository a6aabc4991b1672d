/**
 * Groups of variants that have to be compared together: those whose shiftable spans come within
 * `CLUSTER_GAP_BASES` of each other, whichever side they are on.
 */
import { CLUSTER_GAP_BASES } from './limits.ts';
import type { SmallVariant } from './variant.ts';

export interface Cluster {
  readonly truth: readonly SmallVariant[];
  readonly calls: readonly SmallVariant[];
}

export interface VariantLists {
  readonly truth: readonly SmallVariant[];
  readonly calls: readonly SmallVariant[];
}

/** The clusters of one contig from left to right. The lists may be in any order. */
export function* clusters(lists: VariantLists): Generator<Cluster> {
  const all = [
    ...lists.truth.map((variant) => ({ isTruth: true, variant })),
    ...lists.calls.map((variant) => ({ isTruth: false, variant })),
  ].sort((a, b) => a.variant.shiftStart - b.variant.shiftStart || a.variant.id - b.variant.id);
  let truth: SmallVariant[] = [];
  let calls: SmallVariant[] = [];
  let reach = Number.NEGATIVE_INFINITY;
  for (const { isTruth, variant } of all) {
    if (variant.shiftStart > reach + CLUSTER_GAP_BASES && truth.length + calls.length > 0) {
      yield { truth, calls };
      truth = [];
      calls = [];
    }
    (isTruth ? truth : calls).push(variant);
    reach = Math.max(reach, variant.shiftEnd);
  }
  if (truth.length + calls.length > 0) yield { truth, calls };
}
