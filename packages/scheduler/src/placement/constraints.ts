/**
 * The table of hard constraints. A node that fails one is no candidate, whatever its score. All of
 * them are evaluated for each node, so that a record tells everything that stands in the way.
 */
import type { NodeFacts } from '../node/facts.ts';
import * as data from './data-constraints.ts';
import type { ConstraintName, Failure, Reason } from './failure.ts';
import * as machine from './machine-constraints.ts';
import type { Paths } from './paths.ts';
import type { PreparedInput, PreparedRequest } from './prepared.ts';

type NodeCheck = (node: NodeFacts, paths: Paths, request: PreparedRequest) => Reason | null;
type InputCheck = (
  node: NodeFacts,
  input: PreparedInput,
  request: PreparedRequest,
) => Reason | null;

/** One answer for the node. */
const NODE_CHECKS: readonly (readonly [ConstraintName, NodeCheck])[] = [
  ['standing', machine.failStanding],
  ['liveness', machine.failLiveness],
  ['services', machine.failServices],
  ['tools', machine.failTools],
  ['cores', machine.failCores],
  ['memory', machine.failMemory],
  ['disk', machine.failDisk],
  ['gpu', machine.failGpu],
  ['sandbox', machine.failSandbox],
  ['user_latency', machine.failUserLatency],
  ['price', machine.failPrice],
  ['distinct_operator', machine.failDistinctOperator],
];

/** One answer for each input. */
const INPUT_CHECKS: readonly (readonly [ConstraintName, InputCheck])[] = [
  ['licence', data.failLicence],
  ['licence_terms', data.failLicenceTerms],
  ['residency', data.failResidency],
  ['owner_pipelines', data.failOwnerPipelines],
  ['owner_zones', data.failOwnerZones],
  ['owner_operators', data.failOwnerOperators],
  ['owner_tiers', data.failOwnerTiers],
  ['plaintext_cap', data.failPlaintextCap],
];

/** Every constraint that the node fails, for every input that it fails it for; empty when lawful. */
export function failuresOf(
  node: NodeFacts,
  paths: Paths,
  request: PreparedRequest,
): readonly Failure[] {
  const failures: Failure[] = [];
  for (const [constraint, check] of NODE_CHECKS) {
    const reason = check(node, paths, request);
    if (reason !== null) failures.push({ constraint, reason, input: null });
  }
  for (let input = 0; input < request.inputs.length; input++) {
    const prepared = request.inputs[input];
    if (prepared === undefined) continue;
    for (const [constraint, check] of INPUT_CHECKS) {
      const reason = check(node, prepared, request);
      if (reason !== null) failures.push({ constraint, reason, input });
    }
    const reason = machine.failDataLatency(paths, input, request);
    if (reason !== null) failures.push({ constraint: 'data_latency', reason, input });
  }
  return failures;
}
