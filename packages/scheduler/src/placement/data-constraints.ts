/**
 * Constraints of one input: licence, residency and the owner's policy. Each answers for one node and
 * one input. What is not known, not attested or no longer valid refuses.
 */
import { isZoneIn } from '../geo/zones.ts';
import { LICENCE_AGE_MAX_MS } from '../limits.ts';
import type { NodeFacts } from '../node/facts.ts';
import type { Reason } from './failure.ts';
import type { PreparedInput, PreparedRequest, Zones } from './prepared.ts';

export function failLicence(
  _node: NodeFacts,
  { input }: PreparedInput,
  { nowMs }: PreparedRequest,
): Reason | null {
  const { licence } = input;
  switch (licence.standing) {
    case 'owner':
      return null;
    case 'denied':
      return 'licence_denied';
    case 'unknown':
      return 'licence_unknown';
    case 'granted': {
      if (licence.untilMs !== null && licence.untilMs <= nowMs) return 'licence_expired';
      const ageMs = nowMs - licence.checkedAtMs;
      return ageMs >= 0 && ageMs < LICENCE_AGE_MAX_MS ? null : 'licence_stale';
    }
  }
}

export function failLicenceTerms(
  node: NodeFacts,
  prepared: PreparedInput,
  { request, nowMs }: PreparedRequest,
): Reason | null {
  const { licence } = prepared.input;
  if (licence.standing !== 'granted') return null;
  const { pipelines, isCommercialAllowed } = licence;
  if (pipelines !== 'any' && !pipelines.includes(request.pipeline)) return 'pipeline_not_granted';
  if (request.isCommercial && !isCommercialAllowed) return 'commercial_not_granted';
  const zones = prepared.licenceZones;
  return failZones(node, prepared, zones, nowMs) === null ? null : 'zone_not_granted';
}

export function failResidency(
  node: NodeFacts,
  prepared: PreparedInput,
  { nowMs }: PreparedRequest,
): Reason | null {
  return failZones(node, prepared, prepared.residencyZones, nowMs);
}

export function failOwnerPipelines(
  _node: NodeFacts,
  { input }: PreparedInput,
  { request }: PreparedRequest,
): Reason | null {
  const { pipelines } = input.policy;
  return pipelines === 'any' || pipelines.includes(request.pipeline) ? null : 'pipeline_refused';
}

export function failOwnerZones(
  node: NodeFacts,
  prepared: PreparedInput,
  { nowMs }: PreparedRequest,
): Reason | null {
  return failZones(node, prepared, prepared.policyZones, nowMs);
}

export function failOwnerOperators(
  { operator }: NodeFacts,
  { policyOperators }: PreparedInput,
): Reason | null {
  if (policyOperators === 'any') return null;
  return policyOperators.has(operator) ? null : 'operator_refused';
}

export function failOwnerTiers({ tier }: NodeFacts, { input }: PreparedInput): Reason | null {
  const { tiers } = input.policy;
  return tiers === 'any' || tiers.includes(tier) ? null : 'tier_refused';
}

/** An operator who has seen the plaintext may see it again; a new one needs room under the cap. */
export function failPlaintextCap(
  { operator }: NodeFacts,
  { input, plaintextOperators }: PreparedInput,
): Reason | null {
  if (plaintextOperators.has(operator)) return null;
  const hasRoom = plaintextOperators.size < input.policy.plaintextOperatorsMax;
  return hasRoom ? null : 'plaintext_operators';
}

/** Only the network's allow-list vouches for a zone to a requester. */
export function failRequesterZones(
  node: NodeFacts,
  { zones, nowMs }: PreparedRequest,
): Reason | null {
  return failZones(node, NOBODY, zones, nowMs);
}

export function failRequesterOperators(
  { operator }: NodeFacts,
  { operators }: PreparedRequest,
): Reason | null {
  return operators === 'any' || operators.has(operator) ? null : 'operator_refused';
}

const NOBODY: Pick<PreparedInput, 'trustedOperators'> = { trustedOperators: new Set() };

/**
 * A zone counts when its statement is in force, comes from an operator whom the dataset's owner
 * names or the network attests, and measured round trips do not contradict the node's place.
 */
function failZones(
  { statement, operator, isLocationPlausible }: NodeFacts,
  { trustedOperators }: Pick<PreparedInput, 'trustedOperators'>,
  zones: Zones,
  nowMs: number,
): Reason | null {
  if (zones === 'any') return null;
  if (statement === null) return 'zone_unknown';
  if (statement.untilMs <= nowMs) return 'zone_expired';
  if (!statement.isNetworkAttested && !trustedOperators.has(operator)) return 'zone_unattested';
  if (!isLocationPlausible) return 'zone_implausible';
  for (const zone of statement.zones) if (isZoneIn(zone, zones)) return null;
  return 'zone_outside';
}
