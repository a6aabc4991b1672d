/**
 * The table of hard constraints. A node that fails one is no candidate, whatever its score.
 *
 * `isFit` and `isNear` stop at the first failure and are what ranking uses; `failuresOf` evaluates all
 * of them for the record, so that it tells everything that stands in the way.
 */
import type { NodeFacts } from '../node/facts.ts';
import * as data from './data-constraints.ts';
import type { ConstraintName, Failure, Reason } from './failure.ts';
import * as machine from './machine-constraints.ts';
import type { Paths } from './paths.ts';
import type { PreparedInput, PreparedRequest } from './prepared.ts';

interface NodeConstraint {
  readonly name: ConstraintName;
  readonly fail: (node: NodeFacts, request: PreparedRequest) => Reason | null;
}

interface InputConstraint {
  readonly name: ConstraintName;
  readonly fail: (node: NodeFacts, input: PreparedInput, request: PreparedRequest) => Reason | null;
}

/** One answer for the node. */
const NODE_CONSTRAINTS: readonly NodeConstraint[] = [
  { name: 'standing', fail: machine.failStanding },
  { name: 'liveness', fail: machine.failLiveness },
  { name: 'cores', fail: machine.failCores },
  { name: 'memory', fail: machine.failMemory },
  { name: 'disk', fail: machine.failDisk },
  { name: 'gpu', fail: machine.failGpu },
  { name: 'sandbox', fail: machine.failSandbox },
  { name: 'services', fail: machine.failServices },
  { name: 'tools', fail: machine.failTools },
  { name: 'price', fail: machine.failPrice },
  { name: 'distinct_operator', fail: machine.failDistinctOperator },
  { name: 'requester_zones', fail: data.failRequesterZones },
  { name: 'requester_operators', fail: data.failRequesterOperators },
];

/** One answer for each input. */
const INPUT_CONSTRAINTS: readonly InputConstraint[] = [
  { name: 'licence', fail: data.failLicence },
  { name: 'licence_terms', fail: data.failLicenceTerms },
  { name: 'residency', fail: data.failResidency },
  { name: 'owner_pipelines', fail: data.failOwnerPipelines },
  { name: 'owner_zones', fail: data.failOwnerZones },
  { name: 'owner_operators', fail: data.failOwnerOperators },
  { name: 'owner_tiers', fail: data.failOwnerTiers },
  { name: 'plaintext_cap', fail: data.failPlaintextCap },
];

/**
 * True when the node fails none of the constraints that need no distance. Written out, as calls
 * through the table take almost twice as long; the tests hold it against the table, reason by reason.
 */
export function isFit(node: NodeFacts, request: PreparedRequest): boolean {
  if (!isMachineFit(node, request)) return false;
  for (const input of request.inputs) if (!isInputFit(node, input, request)) return false;
  return true;
}

function isMachineFit(node: NodeFacts, request: PreparedRequest): boolean {
  return (
    machine.failLiveness(node) === null &&
    machine.failStanding(node, request) === null &&
    machine.failCores(node, request) === null &&
    machine.failMemory(node, request) === null &&
    machine.failDisk(node, request) === null &&
    machine.failGpu(node, request) === null &&
    machine.failSandbox(node, request) === null &&
    machine.failServices(node, request) === null &&
    machine.failTools(node, request) === null &&
    machine.failPrice(node, request) === null &&
    machine.failDistinctOperator(node, request) === null &&
    data.failRequesterZones(node, request) === null &&
    data.failRequesterOperators(node, request) === null
  );
}

function isInputFit(node: NodeFacts, input: PreparedInput, request: PreparedRequest): boolean {
  return (
    data.failLicence(node, input, request) === null &&
    data.failLicenceTerms(node, input, request) === null &&
    data.failResidency(node, input, request) === null &&
    data.failOwnerPipelines(node, input, request) === null &&
    data.failOwnerZones(node, input, request) === null &&
    data.failOwnerOperators(node, input) === null &&
    data.failOwnerTiers(node, input) === null &&
    data.failPlaintextCap(node, input) === null
  );
}

/** True when no path is too long, or unknown where a limit is set. */
export function isNear(paths: Paths, request: PreparedRequest): boolean {
  if (machine.failUserLatency(paths, request) !== null) return false;
  for (let input = 0; input < request.inputs.length; input++) {
    if (machine.failDataLatency(paths, input, request) !== null) return false;
  }
  return true;
}

/** Every constraint that the node fails, for every input that it fails it for; empty when lawful. */
export function failuresOf(
  node: NodeFacts,
  paths: Paths,
  request: PreparedRequest,
): readonly Failure[] {
  const failures: Failure[] = [];
  const note = (constraint: ConstraintName, reason: Reason | null, input: number | null) => {
    if (reason !== null) failures.push({ constraint, reason, input });
  };
  for (const { name, fail } of NODE_CONSTRAINTS) note(name, fail(node, request), null);
  note('user_latency', machine.failUserLatency(paths, request), null);
  for (const [index, input] of request.inputs.entries()) {
    for (const { name, fail } of INPUT_CONSTRAINTS) note(name, fail(node, input, request), index);
    note('data_latency', machine.failDataLatency(paths, index, request), index);
  }
  return failures;
}
