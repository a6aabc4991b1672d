/**
 * The `weighted` policy: the seeds' formula, in whole numbers.
 *
 *   latency      100 − km(requester, node) / 100, not below 0
 *   bandwidth    100 − km(data, node) / 100, not below 0
 *   resources    100 when the node has what the task needs
 *   reliability  share of the time online, percent
 *   cost         100 when the price is within the budget
 *   score        Σ weight × term
 *
 * Terms are kept in hundredths of a point, where the first two are 10,000 − km: nothing is rounded,
 * and a tie is a tie. `resources` and `cost` are 100 for whoever meets the constraints, as in the
 * seed; they stand here so that the sum is the seed's.
 *
 * With several inputs the distance to the data is the mean over them, weighted by size; a copy that
 * the node holds is at distance 0. A place that is not known earns nothing.
 */
import { z } from 'zod';
import type { NodeFacts } from '../node/facts.ts';
import type { Paths } from './paths.ts';
import type { PreparedRequest } from './prepared.ts';

export const TERMS = ['latency', 'bandwidth', 'resources', 'reliability', 'cost'] as const;
export type Term = (typeof TERMS)[number];

/** Full marks of a term, hundredths of a point. */
const FULL_BPS = 10_000;
const WEIGHT_SUM = 100;

const weight = z.int().min(0).max(WEIGHT_SUM);
export const weightedPolicySchema = z
  .strictObject({
    name: z.literal('weighted'),
    weights: z.strictObject({
      latency: weight,
      bandwidth: weight,
      resources: weight,
      reliability: weight,
      cost: weight,
    }),
  })
  .refine(({ weights }) => Object.values(weights).reduce((a, b) => a + b) === WEIGHT_SUM, {
    path: ['weights'],
    error: `must add up to ${WEIGHT_SUM}`,
  });
export type WeightedPolicy = z.infer<typeof weightedPolicySchema>;

export const DEFAULT_POLICY: WeightedPolicy = {
  name: 'weighted',
  weights: { latency: 30, bandwidth: 20, resources: 30, reliability: 10, cost: 10 },
};

/** Each term in hundredths of a point, 0–10,000. */
export const termsSchema = z.strictObject({
  latency: z.int().min(0).max(FULL_BPS),
  bandwidth: z.int().min(0).max(FULL_BPS),
  resources: z.int().min(0).max(FULL_BPS),
  reliability: z.int().min(0).max(FULL_BPS),
  cost: z.int().min(0).max(FULL_BPS),
});
export type Terms = z.infer<typeof termsSchema>;

/** Best score: 100 points in units of 10⁻⁴. */
export const SCORE_MAX = WEIGHT_SUM * FULL_BPS;

/** Terms of a node that meets every constraint. */
export function termsOf(node: NodeFacts, paths: Paths, request: PreparedRequest): Terms {
  return {
    latency: nearness(paths.user.km),
    bandwidth: nearness(dataKm(paths, request)),
    resources: FULL_BPS,
    reliability: node.uptimeBps,
    cost: FULL_BPS,
  };
}

/** 0–1,000,000. */
export function scoreOf(terms: Terms, { weights }: WeightedPolicy): number {
  return (
    weights.latency * terms.latency +
    weights.bandwidth * terms.bandwidth +
    weights.resources * terms.resources +
    weights.reliability * terms.reliability +
    weights.cost * terms.cost
  );
}

function nearness(km: number | null): number {
  return km === null ? 0 : Math.max(0, FULL_BPS - km);
}

function dataKm({ inputs }: Paths, request: PreparedRequest): number | null {
  let sum = 0;
  let weights = 0;
  for (let index = 0; index < request.inputs.length; index++) {
    const km = inputs[index]?.km ?? null;
    const weightMib = request.inputs[index]?.weightMib ?? 1;
    if (km === null) return null;
    sum += km * weightMib;
    weights += weightMib;
  }
  return weights === 0 ? 0 : Math.round(sum / weights);
}
