/**
 * The verdict on every variant of one cluster.
 *
 * 1. A cluster whose two sides hold the same genotypes of the same left-aligned alleles matches.
 * 2. Otherwise haplotype replay finds the largest subsets that mean the same.
 * 3. What is left and yet equal record for record (two records of one side that contradict each
 *    other cannot both be replayed) matches as well: a set always equals itself.
 * 4. A cluster too large for replay: equal records match, and replay is tried on the rest; if that
 *    is too large too, the rest is counted as not matching, never silently left out.
 */
import type { Cluster } from './clusters.ts';
import { type MatchedSegment, type MatchMode, replay } from './replay.ts';
import type { ReferenceSequence, SmallVariant } from './variant.ts';

/**
 * `matched`, `outside` (does not count: not in a confident region, or matched only to truth that is
 * not), or why it did not match: `genotype` (an allele agrees, the genotype does not) or `allele`.
 */
export type Verdict = 'matched' | 'outside' | 'genotype' | 'allele';

export interface ClusterMatch {
  readonly truth: ReadonlyMap<SmallVariant, Verdict>;
  readonly calls: ReadonlyMap<SmallVariant, Verdict>;
  /** True when replay had to give up on some of the cluster (rule 4). */
  readonly isTooComplex: boolean;
}

export function matchCluster(
  cluster: Cluster,
  reference: ReferenceSequence,
  mode: MatchMode,
): ClusterMatch {
  const { segments, isTooComplex } = matchingSegments(cluster, reference, mode);
  const truth = new Map<SmallVariant, Verdict>();
  const calls = new Map<SmallVariant, Verdict>();
  for (const segment of segments) {
    // As vcfeval: a matched call counts when truth of its segment counts, wherever it lies itself.
    const isInside = segment.truth.some((variant) => variant.isInside);
    for (const variant of segment.truth)
      truth.set(variant, variant.isInside ? 'matched' : 'outside');
    for (const variant of segment.calls) calls.set(variant, isInside ? 'matched' : 'outside');
  }
  const rest = {
    truth: cluster.truth.filter((variant) => !truth.has(variant)),
    calls: cluster.calls.filter((variant) => !calls.has(variant)),
  };
  const common = mode === 'genotype' ? commonAlleles(rest, reference) : new Set<SmallVariant>();
  for (const side of ['truth', 'calls'] as const) {
    const verdicts = side === 'truth' ? truth : calls;
    for (const variant of rest[side]) {
      const reason = common.has(variant) ? 'genotype' : 'allele';
      verdicts.set(variant, variant.isInside ? reason : 'outside');
    }
  }
  return { truth, calls, isTooComplex };
}

function matchingSegments(
  cluster: Cluster,
  reference: ReferenceSequence,
  mode: MatchMode,
): { readonly segments: readonly MatchedSegment[]; readonly isTooComplex: boolean } {
  if (cluster.truth.length === 0 || cluster.calls.length === 0) {
    return { segments: [], isTooComplex: false };
  }
  const equal = equalRecords(cluster);
  const isAllEqual = equal.length === cluster.truth.length && equal.length === cluster.calls.length;
  if (isAllEqual) return { segments: equal, isTooComplex: false };
  const replayed = replay({ ...cluster, reference, mode });
  if (replayed !== 'too_complex') {
    const left = equalRecords(without(cluster, replayed));
    return { segments: [...replayed, ...left], isTooComplex: false };
  }
  const rest = without(cluster, equal);
  if (rest.truth.length === 0 || rest.calls.length === 0) {
    return { segments: equal, isTooComplex: false };
  }
  const second = replay({ ...rest, reference, mode });
  const isTooComplex = second === 'too_complex';
  return { segments: isTooComplex ? equal : [...equal, ...second], isTooComplex };
}

/** Pairs of a truth and a call record with one genotype of the same left-aligned alleles. */
function equalRecords(cluster: Cluster): readonly MatchedSegment[] {
  const open = new Map<string, SmallVariant[]>();
  for (const call of cluster.calls) {
    const same = open.get(call.key);
    if (same === undefined) open.set(call.key, [call]);
    else same.push(call);
  }
  return cluster.truth.flatMap((truth) => {
    const call = open.get(truth.key)?.shift();
    return call === undefined ? [] : [{ truth: [truth], calls: [call] }];
  });
}

function without(cluster: Cluster, segments: readonly MatchedSegment[]): Cluster {
  const gone = new Set(segments.flatMap((segment) => [...segment.truth, ...segment.calls]));
  return {
    truth: cluster.truth.filter((variant) => !gone.has(variant)),
    calls: cluster.calls.filter((variant) => !gone.has(variant)),
  };
}

/** Variants that would match if genotypes were ignored. */
function commonAlleles(rest: Cluster, reference: ReferenceSequence): ReadonlySet<SmallVariant> {
  if (rest.truth.length === 0 || rest.calls.length === 0) return new Set();
  const segments = replay({ ...rest, reference, mode: 'allele' });
  if (segments === 'too_complex') return new Set();
  return new Set(segments.flatMap((segment) => [...segment.truth, ...segment.calls]));
}
