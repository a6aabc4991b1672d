/**
 * What is to be placed, and every fact about its inputs that decides who may see them. Facts come
 * resolved: the licence has been looked up, the copies are known, the owner's policy is verified.
 * A fact that is not known is said so (`unknown`, null), and then the constraints refuse.
 *
 * A request names datasets and a requester's place. It is private to the parties, like the decision
 * that holds it.
 */
import { TIERS, tierSchema } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { locationSchema } from '../geo/distance.ts';
import { zoneSchema } from '../geo/zones.ts';
import { datasetIdSchema, nameSchema, nodeIdSchema, operatorIdSchema } from '../ids.ts';
import {
  CORES_MAX,
  DISK_MAX_BYTES,
  GPUS_MAX,
  INPUTS_MAX,
  LATENCY_MAX_MS,
  LIST_MAX,
  MEMORY_MAX_BYTES,
  OPERATORS_MAX,
  PLACES_MAX,
  PRICE_MAX_MICRO_USD,
  REDUNDANCY_MAX,
  REPLICAS_MAX,
  SERVICES_MAX,
  USAGE_MAX_BYTES,
  USAGE_MAX_SECONDS,
  VRAM_MAX_BYTES,
} from '../limits.ts';
import { SANDBOX_STRENGTHS, toolVersionsSchema } from '../node/registration.ts';

const ANY = z.literal('any');
const zones = z.union([ANY, z.array(zoneSchema).max(LIST_MAX)]);
const pipelines = z.union([ANY, z.array(nameSchema).max(LIST_MAX)]);

/** Where copies may lie and be computed on, and whose word about a zone counts. */
export const residencySchema = z.strictObject({
  zones,
  /** Operators whose own statement the dataset's owner accepts, besides the network's allow-list. */
  trustedOperators: z.array(operatorIdSchema).max(LIST_MAX),
});

/** What an owner lets be done with a dataset, by whom and where. */
export const ownerPolicySchema = z.strictObject({
  pipelines,
  zones,
  operators: z.union([ANY, z.array(operatorIdSchema).max(LIST_MAX)]),
  tiers: z.union([ANY, z.array(tierSchema).max(TIERS.length)]),
  /** Distinct operators who may ever see plaintext. */
  plaintextOperatorsMax: z.int().min(0).max(LIST_MAX),
});

/** What the requester holds for a dataset. An owner needs no licence. */
export const licenceSchema = z.discriminatedUnion('standing', [
  z.strictObject({ standing: z.literal('owner') }),
  z.strictObject({
    standing: z.literal('granted'),
    pipelines,
    zones,
    isCommercialAllowed: z.boolean(),
    /** End of the grant; null for none. */
    untilMs: z.int().min(0).nullable(),
    /** When the grant was last found to hold. */
    checkedAtMs: z.int().min(0),
  }),
  z.strictObject({ standing: z.literal('denied') }),
  z.strictObject({ standing: z.literal('unknown') }),
]);

/** A copy of an input: a node's, or one in a store of known or unknown place. */
export const placeSchema = z.strictObject({
  nodeId: nodeIdSchema.nullable(),
  location: locationSchema.nullable(),
});

export const inputSchema = z.strictObject({
  datasetId: datasetIdSchema,
  /** The owner's wallet. */
  owner: operatorIdSchema,
  sizeBytes: z.int().min(0).max(USAGE_MAX_BYTES),
  places: z.array(placeSchema).max(PLACES_MAX),
  residency: residencySchema,
  policy: ownerPolicySchema,
  licence: licenceSchema,
  /**
   * Operators who have seen plaintext of it, or may see it through a placement that is made. Whoever
   * places several tasks on one dataset adds those chosen before the next.
   */
  plaintextOperators: z.array(operatorIdSchema).max(LIST_MAX),
});
export type PlacementInput = z.infer<typeof inputSchema>;

/** What the task is expected to use; a quote is computed from it. */
export const usageSchema = z.strictObject({
  coreSeconds: z.int().min(0).max(USAGE_MAX_SECONDS),
  gpuSeconds: z.int().min(0).max(USAGE_MAX_SECONDS),
  /** Inputs and outputs over the network. */
  transferBytes: z.int().min(0).max(USAGE_MAX_BYTES),
});
export type Usage = z.infer<typeof usageSchema>;

export const requestSchema = z.strictObject({
  /** The task: names it in the record, and says which of several equal nodes comes first. */
  taskId: z.string().min(1).max(128),
  pipeline: nameSchema,
  isCommercial: z.boolean(),
  services: z.array(nameSchema).max(SERVICES_MAX),
  toolVersions: toolVersionsSchema,
  cores: z.int().min(0).max(CORES_MAX),
  memoryBytes: z.int().min(0).max(MEMORY_MAX_BYTES),
  diskBytes: z.int().min(0).max(DISK_MAX_BYTES),
  gpu: z
    .strictObject({
      count: z.int().min(1).max(GPUS_MAX),
      vramBytes: z.int().min(0).max(VRAM_MAX_BYTES),
    })
    .nullable(),
  /** At least this; data of a third party needs `strong` whatever stands here. */
  sandbox: z.enum(SANDBOX_STRENGTHS),
  /** Where the requester lets it be done, and by whom, beside what the owners of the inputs allow. */
  zones,
  operators: z.union([ANY, z.array(operatorIdSchema).max(OPERATORS_MAX)]),
  requesterLocation: locationSchema.nullable(),
  inputs: z.array(inputSchema).max(INPUTS_MAX),
  /** Round trip between requester and node; null for no limit. */
  maxUserLatencyMs: z.int().min(0).max(LATENCY_MAX_MS).nullable(),
  /** Round trip between a node and the nearest copy of each input; null for no limit. */
  maxDataLatencyMs: z.int().min(0).max(LATENCY_MAX_MS).nullable(),
  usage: usageSchema,
  /** For one replica. */
  maxPriceMicroUsd: z.int().min(0).max(PRICE_MAX_MICRO_USD),
  /** Replicas to place now. */
  replicas: z.int().min(1).max(REDUNDANCY_MAX),
  /** Operators that have a replica of this task, failed ones included. */
  takenOperators: z.array(operatorIdSchema).max(REPLICAS_MAX),
  /** When there are fewer lawful operators than replicas: wait, or run once and say so. */
  onShortfall: z.enum(['wait', 'run_once']),
});
export type PlacementRequest = z.infer<typeof requestSchema>;
