/** A request in the form in which ten thousand nodes are held against it: sets and unit vectors. */

import type { NodeId } from '@helixmesh/protocol';
import { type UnitVector, unitVector } from '../geo/distance.ts';
import type { OperatorId } from '../ids.ts';
import { toolSetOf } from '../quorum/reputation.ts';
import type { PlacementInput, PlacementRequest } from './request.ts';
import { tieSeedOf } from './tie.ts';

const MIB = 2 ** 20;

export interface PreparedInput {
  readonly input: PlacementInput;
  /** Weight of its distance: whole MiB, at least 1. */
  readonly weightMib: number;
  /** Nodes that hold a copy. */
  readonly holders: ReadonlySet<NodeId>;
  /** Known places of copies. */
  readonly places: readonly UnitVector[];
  readonly plaintextOperators: ReadonlySet<OperatorId>;
  readonly trustedOperators: ReadonlySet<OperatorId>;
  readonly policyOperators: 'any' | ReadonlySet<OperatorId>;
  readonly residencyZones: Zones;
  readonly policyZones: Zones;
  /** `any` for an owner, whom no grant binds. */
  readonly licenceZones: Zones;
}

export type Zones = 'any' | ReadonlySet<string>;

export interface PreparedRequest {
  readonly request: PlacementRequest;
  readonly nowMs: number;
  /** What ties are broken with. */
  readonly tieSeed: number;
  readonly toolSet: string;
  readonly toolVersions: readonly (readonly [name: string, version: string])[];
  readonly user: UnitVector | null;
  readonly inputs: readonly PreparedInput[];
  readonly takenOperators: ReadonlySet<OperatorId>;
  /** What the requester asks for. */
  readonly zones: Zones;
  readonly operators: 'any' | ReadonlySet<OperatorId>;
}

export function prepare(request: PlacementRequest, nowMs: number): PreparedRequest {
  const { requesterLocation, operators } = request;
  return {
    request,
    nowMs,
    tieSeed: tieSeedOf(request.taskId),
    toolSet: toolSetOf(request.toolVersions),
    toolVersions: Object.entries(request.toolVersions),
    user: requesterLocation === null ? null : unitVector(requesterLocation),
    inputs: request.inputs.map(prepareInput),
    takenOperators: new Set(request.takenOperators),
    zones: zonesOf(request.zones),
    operators: operators === 'any' ? 'any' : new Set(operators),
  };
}

function prepareInput(input: PlacementInput): PreparedInput {
  const { policy, residency, licence } = input;
  const { operators } = policy;
  return {
    input,
    weightMib: Math.max(1, Math.ceil(input.sizeBytes / MIB)),
    holders: new Set(input.places.flatMap(({ nodeId }) => nodeId ?? [])),
    places: input.places.flatMap(({ location }) => (location === null ? [] : unitVector(location))),
    plaintextOperators: new Set(input.plaintextOperators),
    trustedOperators: new Set(residency.trustedOperators),
    policyOperators: operators === 'any' ? 'any' : new Set(operators),
    residencyZones: zonesOf(residency.zones),
    policyZones: zonesOf(policy.zones),
    licenceZones: licence.standing === 'granted' ? zonesOf(licence.zones) : 'any',
  };
}

function zonesOf(zones: 'any' | readonly string[]): Zones {
  return zones === 'any' ? 'any' : new Set(zones);
}
