/** Why a node may not run a task, as closed codes that a record can hold and a person can read. */
import { z } from 'zod';
import { INPUTS_MAX } from '../limits.ts';

/** Each hard constraint and the reasons that it gives. */
export const FAILURES = {
  standing: ['not_verified', 'operator_unverified', 'registration_expired', 'tool_set_banned'],
  liveness: ['busy', 'draining', 'offline'],
  services: ['service_missing'],
  tools: ['tool_missing', 'tool_version'],
  cores: ['cores_short'],
  memory: ['memory_short'],
  disk: ['disk_short'],
  gpu: ['gpu_missing', 'vram_short'],
  sandbox: ['sandbox_weak', 'third_party_data'],
  licence: ['licence_denied', 'licence_unknown', 'licence_expired', 'licence_stale'],
  licence_terms: ['pipeline_not_granted', 'commercial_not_granted', 'zone_not_granted'],
  residency: [
    'zone_unknown',
    'zone_expired',
    'zone_unattested',
    'zone_implausible',
    'zone_outside',
  ],
  owner_pipelines: ['pipeline_refused'],
  owner_zones: [
    'zone_unknown',
    'zone_expired',
    'zone_unattested',
    'zone_implausible',
    'zone_outside',
  ],
  owner_operators: ['operator_refused'],
  owner_tiers: ['tier_refused'],
  plaintext_cap: ['plaintext_operators'],
  user_latency: ['latency_unknown', 'latency_high'],
  data_latency: ['latency_unknown', 'latency_high'],
  price: ['price_high'],
  distinct_operator: ['operator_taken'],
  requester_zones: [
    'zone_unknown',
    'zone_expired',
    'zone_unattested',
    'zone_implausible',
    'zone_outside',
  ],
  requester_operators: ['operator_refused'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ConstraintName = keyof typeof FAILURES;
export type Reason = (typeof FAILURES)[ConstraintName][number];

const names = Object.keys(FAILURES) as [ConstraintName, ...ConstraintName[]];
const reasons = [...new Set(Object.values(FAILURES).flat())] as [Reason, ...Reason[]];

export const failureSchema = z.strictObject({
  constraint: z.enum(names),
  reason: z.enum(reasons),
  /** Which input of the request refuses; null when it is not about an input. */
  input: z.int().min(0).max(INPUTS_MAX).nullable(),
});
export type Failure = z.infer<typeof failureSchema>;
