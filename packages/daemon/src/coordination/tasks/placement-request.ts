/**
 * From a job and what is known of its datasets to what the scheduler is asked. Pure: whoever has the
 * same facts comes to the same request.
 *
 *   manifest  size, residency, and terms: what the owner allows at most
 *   grant     licence: pipelines, zones, commercial use, end; denied once it is revoked
 *   job       zones, operators, sandbox, price and what to do with too few operators
 *
 * The owner's own policy (operators, tiers, a cap on operators) is known to their custodian alone,
 * who holds every release against it; here it is open.
 */
import { DIGEST_PATTERN, type Digest, spreadOf, stageOfTask } from '@helixmesh/protocol';
import type { Crypto, NetworkJob } from '@helixmesh/protocol/sealing';
import {
  type DatasetId,
  INPUTS_MAX,
  LIST_MAX,
  type OperatorId,
  type PlacementInput,
  type PlacementRequest,
  PRICE_MAX_MICRO_USD,
  referenceService,
} from '@helixmesh/scheduler';
import type { Evidence } from './evidence.ts';
import { needsOf, type PriceShare, priceShareOf } from './needs.ts';
import type { TaskToPlace } from './placement.ts';
import { NO_TOOLS_SERVICE, type ToolVersions, toolsService } from './tool-groups.ts';

/** The role that runs tasks, as nodes register it. */
export const COMPUTE_SERVICE = 'compute';

export interface DatasetFacts extends Evidence {
  readonly dataset: Digest;
  /** The grant stands in the owner's last revocation head. */
  readonly isRevoked: boolean;
  /** When the owner's custodian said that this head is the last one. */
  readonly attestedAtMs: number;
  /** Vaults with a copy, and where they are. */
  readonly places: PlacementInput['places'];
  /** Operators who have seen its plaintext, or may see it through an attempt that is under way. */
  readonly plaintextOperators: readonly OperatorId[];
}

export interface PlacementFacts {
  readonly task: Pick<TaskToPlace, 'taskId' | 'name' | 'count' | 'takenOperators'>;
  readonly job: NetworkJob;
  /** In the order of the job's datasets. */
  readonly datasets: readonly DatasetFacts[];
  /** Null where no node has the tools for it. */
  readonly tools: ToolVersions | null;
}

export function placementRequest(
  crypto: Crypto,
  { task, job, datasets, tools }: PlacementFacts,
): PlacementRequest {
  const { constraints, parameters, pipeline } = job;
  const { reference } = parameters;
  const bodyBytes = datasets.map(({ manifest }) => manifest.document.bodyBytes);
  const stage = stageOfTask(task.name, spreadOf(parameters));
  const hasReference = typeof reference === 'string' && DIGEST_PATTERN.test(reference);
  return {
    taskId: task.taskId,
    pipeline: pipeline.name,
    isCommercial: constraints.isCommercial,
    services: [
      COMPUTE_SERVICE,
      tools === null ? NO_TOOLS_SERVICE : toolsService(crypto, tools),
      ...(hasReference ? [referenceService(reference as Digest)] : []),
    ],
    toolVersions: { ...tools },
    ...needsOf(bodyBytes, stage),
    gpu: null,
    sandbox: constraints.needsStrongSandbox ? 'strong' : 'process',
    zones: constraints.zones ?? 'any',
    operators: (constraints.operators as OperatorId[] | null) ?? 'any',
    requesterLocation: null,
    inputs: datasets.slice(0, INPUTS_MAX).map(inputOf),
    maxUserLatencyMs: null,
    maxDataLatencyMs: null,
    maxPriceMicroUsd: priceOfOne(job, priceShareOf(bodyBytes, { job, stage })),
    replicas: task.count,
    takenOperators: [...task.takenOperators],
    onShortfall: constraints.onShortfall,
  };
}

/** What one replica may cost, whole millionths of a US dollar: the job's price is for all of them. */
function priceOfOne({ maxPriceMicroUsd }: NetworkJob, share: PriceShare): number {
  const part = BigInt(maxPriceMicroUsd) * BigInt(share.coreSeconds);
  return Math.min(Number(part / BigInt(share.ofCoreSeconds)), PRICE_MAX_MICRO_USD);
}

function inputOf(facts: DatasetFacts): PlacementInput {
  const { owner, bodyBytes, residency, terms } = facts.manifest.document;
  return {
    datasetId: facts.dataset as string as DatasetId,
    owner: owner as OperatorId,
    sizeBytes: bodyBytes,
    places: facts.places,
    residency: { zones: residency ?? 'any', trustedOperators: [] },
    policy: {
      pipelines: terms.pipelines ?? 'any',
      zones: terms.zones ?? 'any',
      operators: 'any',
      tiers: 'any',
      plaintextOperatorsMax: LIST_MAX,
    },
    licence: licenceOf(facts),
    plaintextOperators: facts.plaintextOperators.slice(0, LIST_MAX),
  };
}

function licenceOf({ grant, isRevoked, attestedAtMs }: DatasetFacts): PlacementInput['licence'] {
  if (grant === null) return { standing: 'owner' };
  if (isRevoked) return { standing: 'denied' };
  const { terms, untilMs } = grant.document;
  return {
    standing: 'granted',
    pipelines: terms.pipelines ?? 'any',
    zones: terms.zones ?? 'any',
    isCommercialAllowed: terms.commercialUse,
    untilMs,
    checkedAtMs: attestedAtMs,
  };
}
