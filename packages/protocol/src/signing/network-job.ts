/**
 * Jobs of the network: what a requester wants done, on whose data, by how many, at what price. Signed
 * by the requester's wallet; custodians release keys for nothing else.
 *
 * The tag is not `helixmesh/job/v1`, which the hash has that decides a result.
 *
 * Left out: whether the requester may use the datasets (grants and custodians say so), and whether
 * the pipeline knows its parameters.
 */
import { z } from 'zod';
import { toHex } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { digestBytes } from '../digest.ts';
import type { Digest, NodeId, TaskId } from '../ids.ts';
import { lengthPrefixed } from '../length-prefix.ts';
import {
  JOB_DATASETS_MAX,
  JOB_PARAMETERS_MAX,
  JOB_REDUNDANCY_MAX,
  JOB_REPLICAS_MAX,
  NETWORK_JOB_BYTES_MAX,
  NETWORK_JOB_MS_MAX,
  REQUEST_WINDOW_MS,
  VAULTS_MAX,
} from '../limits.ts';
import { nodeAddressTextSchema, nodeIdFieldSchema } from '../network/address.ts';
import { parseDocument, type Signed, signedSchema, verifyDocument } from './document.ts';
import {
  addressSchema,
  digestSchema,
  isSortedSet,
  nonceSchema,
  operatorsSchema,
  pipelineNameSchema,
  publicKeySchema,
  timeMsSchema,
  zonesSchema,
} from './fields.ts';

export const NETWORK_JOB_TYPE = 'helixmesh/network-job/v1';
const TASK_TAG = 'helixmesh/network-task/v1';
const TASK_ID_BYTES = 16;

const parameterSchema = z.union([z.string().max(1_000), z.int(), z.boolean(), z.null()]);

const constraintsSchema = z.strictObject({
  /** Where the data may be processed; null for wherever the terms of the datasets allow. */
  zones: zonesSchema,
  /** Operators who may do it, sorted; null for any. */
  operators: operatorsSchema,
  isCommercial: z.boolean(),
  /** Demanded of own data too; data of others needs it always. */
  needsStrongSandbox: z.boolean(),
  /** With fewer lawful operators than replicas: wait, or run once and say that nobody checked. */
  onShortfall: z.enum(['wait', 'run_once']),
});

export const networkJobSchema = z
  .strictObject({
    type: z.literal(NETWORK_JOB_TYPE),
    network: digestSchema,
    requester: addressSchema,
    /** The one node that may route it. */
    coordinator: nodeIdFieldSchema,
    /** The EVM chain on which it is settled; null where it is not. */
    chainId: z.int().min(1).nullable(),
    /** A requester uses it once. */
    nonce: nonceSchema,
    issuedAtMs: timeMsSchema,
    /** From then on nothing of it is started. */
    expiresAtMs: timeMsSchema,
    /** In order of their manifests, each once. */
    datasets: z
      .array(
        z.strictObject({
          /** Id of the manifest. */
          dataset: digestSchema,
          /** Id of the grant that the use rests on; null for one's own. */
          grant: digestSchema.nullable(),
          /** Who releases its keys, and where its body lies, as `node_…@host:port`. */
          custodian: nodeAddressTextSchema,
          vaults: z.array(nodeAddressTextSchema).min(1).max(VAULTS_MAX),
        }),
      )
      .min(1)
      .max(JOB_DATASETS_MAX)
      .refine((datasets) => isSortedSet(datasets.map(({ dataset }) => dataset))),
    pipeline: z.strictObject({ name: pipelineNameSchema, version: z.int().min(1) }),
    parameters: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/), parameterSchema)
      .refine((parameters) => Object.keys(parameters).length <= JOB_PARAMETERS_MAX),
    constraints: constraintsSchema,
    /** Operators that do the same work; their results are compared. */
    redundancy: z.int().min(1).max(JOB_REDUNDANCY_MAX),
    /** Attempts in all, failed ones and those added on disagreement included. */
    replicasMax: z.int().min(1).max(JOB_REPLICAS_MAX),
    /** For all replicas together, millionths of a US dollar, decimal. */
    maxPriceMicroUsd: z.string().regex(/^(0|[1-9][0-9]{0,12})$/),
    /** To whom outputs are sealed: a custodian node, its X25519 key, and the owner who has named it so. */
    outputCustodian: z.strictObject({
      owner: addressSchema,
      nodeId: nodeIdFieldSchema,
      encryptionKey: publicKeySchema,
    }),
  })
  .refine((job) => job.replicasMax >= job.redundancy, { path: ['replicasMax'] })
  .refine(isShort, { path: ['expiresAtMs'] });
export type NetworkJob = z.infer<typeof networkJobSchema>;

/** A signed job from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseNetworkJob(bytes: Uint8Array): Signed<NetworkJob> {
  const options = { what: 'a job of the network', maxBytes: NETWORK_JOB_BYTES_MAX };
  return parseDocument(signedSchema(networkJobSchema), bytes, options);
}

export type NetworkJobVerdict =
  | { readonly status: 'valid'; readonly id: Digest }
  | {
      readonly status: 'invalid';
      readonly reason: 'network' | 'signature' | 'coordinator' | 'not_yet' | 'expired';
    };

/** Whether its requester has signed it, for that coordinator in this network, and it has not ended. */
export function verifyNetworkJob(
  crypto: Crypto,
  signed: Signed<NetworkJob>,
  expected: { readonly network: Digest; readonly coordinator: NodeId; readonly nowMs: number },
): NetworkJobVerdict {
  const { requester, coordinator, issuedAtMs, expiresAtMs } = signed.document;
  const { network, nowMs } = expected;
  const verdict = verifyDocument(crypto, signed, { network, signer: requester });
  if (verdict.status === 'invalid') return verdict;
  if (coordinator !== expected.coordinator) return { status: 'invalid', reason: 'coordinator' };
  if (issuedAtMs > nowMs + REQUEST_WINDOW_MS) return { status: 'invalid', reason: 'not_yet' };
  if (expiresAtMs <= nowMs) return { status: 'invalid', reason: 'expired' };
  return verdict;
}

/**
 * The id of a task: `task_` and the first 16 bytes of H(LP(tag, network, job id, name)). The same job
 * sent twice has the same tasks. `name` is that of the step, `main` for a whole analysis.
 */
export function networkTaskId(
  crypto: Crypto,
  { network, job, name }: { readonly network: Digest; readonly job: Digest; readonly name: string },
): TaskId {
  const fields = lengthPrefixed(TASK_TAG, digestBytes(network), digestBytes(job), name);
  return `task_${toHex(crypto.sha256(fields).subarray(0, TASK_ID_BYTES))}` as TaskId;
}

function isShort(job: { readonly issuedAtMs: number; readonly expiresAtMs: number }): boolean {
  const ms = job.expiresAtMs - job.issuedAtMs;
  return ms > 0 && ms <= NETWORK_JOB_MS_MAX;
}
