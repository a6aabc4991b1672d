/**
 * The route table of the network's HTTP contract, beside BioNFS on the same port. Documents travel as
 * base64 of their canonical bytes: what was signed is what is sent. Limits on them are the parsers'.
 *
 * `signedBy` says whose request it must be (`docs/reference/sealed-data.md`, Requests), `scope` which
 * scope the session of an account needs.
 */
import { z } from 'zod';
import { NODE_ID_PATTERN } from '../ids.ts';
import {
  ATTEMPT_STATEMENT_BYTES_MAX,
  CRYPT4GH_HEADER_BYTES_MAX,
  GRANT_BYTES_MAX,
  MANIFEST_BYTES_MAX,
  NETWORK_JOB_BYTES_MAX,
  NODES_LISTED_MAX,
  REVOCATION_HEAD_BYTES_MAX,
  REWRAP_HEADER_BYTES_MAX,
  REWRAP_HEADERS_MAX,
  VAULTS_MAX,
} from '../limits.ts';
import {
  addressSchema,
  base64Of,
  digestSchema,
  pipelineNameSchema,
  publicKeySchema,
  timeMsSchema,
  zoneSchema,
} from '../signing/fields.ts';
import { segmentRangesSchema } from '../signing/grant-segments.ts';
import type { Scope } from '../signing/session.ts';
import { nodeAddressTextSchema, nodeIdFieldSchema } from './address.ts';
import { CANARY_ROUTES } from './canary-routes.ts';
import { EXECUTE_ROUTES } from './execute-job.ts';
import { SEED_ROUTES } from './seed.ts';
import { reasonSchema, TASK_ROUTES } from './task-routes.ts';

export const NODE_ROLES = ['storage', 'custodian', 'compute', 'coordinator', 'seed'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

export const nodeInfoSchema = z.strictObject({
  nodeId: nodeIdFieldSchema,
  network: digestSchema,
  roles: z.array(z.enum(NODE_ROLES)),
  /** Where the node says that it is; null when it says nothing. */
  zone: zoneSchema.nullable(),
  version: z.string().max(64),
});
export type NodeInfo = z.infer<typeof nodeInfoSchema>;

/** What the data is wanted for; the terms of object and grant are held against it. */
export const purposeSchema = z.strictObject({
  /** Name of a pipeline; `read` where somebody only reads. */
  pipeline: pipelineNameSchema,
  isCommercial: z.boolean(),
  /** Where the plaintext will be. */
  zone: zoneSchema,
});
export type Purpose = z.infer<typeof purposeSchema>;

/** Statements of a few fields: an encryption key, a custodian, an attestation. */
const STATEMENT_BYTES_MAX = 4_096;

const releaseRequestSchema = z.strictObject({
  /** Id of the manifest. */
  dataset: digestSchema,
  /** The signed grant; null for what is one's own. */
  grant: base64Of(GRANT_BYTES_MAX).nullable(),
  purpose: purposeSchema,
  /** The caller's signed `helixmesh/encryption-key/v1`, which the headers are sealed to. */
  encryptionKey: base64Of(STATEMENT_BYTES_MAX),
});

const releaseReplySchema = z.strictObject({
  /** The signed manifest. */
  manifest: base64Of(MANIFEST_BYTES_MAX),
  /** Crypt4GH header with the data keys that the caller may have. */
  header: base64Of(CRYPT4GH_HEADER_BYTES_MAX),
  /** Crypt4GH header with the key of the manifest's sealed part; null under a grant of regions. */
  partHeader: base64Of(CRYPT4GH_HEADER_BYTES_MAX).nullable(),
  /** Segments that the grant is; null for the whole object. */
  segments: segmentRangesSchema.nullable(),
  /** The signed `helixmesh/grant-segments/v1` for the vault; null for the whole object. */
  grantSegments: base64Of(GRANT_BYTES_MAX).nullable(),
  vaults: z.array(nodeAddressTextSchema).max(VAULTS_MAX),
});
export type ReleaseReply = z.infer<typeof releaseReplySchema>;

const taskReleaseRequestSchema = z.strictObject({
  /** Id of the manifest. */
  dataset: digestSchema,
  /** The requester's signed job, which names the dataset. */
  job: base64Of(NETWORK_JOB_BYTES_MAX),
  /** The coordinator's signed assignment of an attempt to the caller. */
  assignment: base64Of(ATTEMPT_STATEMENT_BYTES_MAX),
  /** X25519 public key of the caller, which the header is sealed to. */
  encryptionKey: publicKeySchema,
});

const taskReleaseReplySchema = z.strictObject({
  /** The signed manifest. */
  manifest: base64Of(MANIFEST_BYTES_MAX),
  /** Crypt4GH header with the data keys of the whole object. */
  header: base64Of(CRYPT4GH_HEADER_BYTES_MAX),
  /** Crypt4GH header with the key of the manifest's sealed part. */
  partHeader: base64Of(CRYPT4GH_HEADER_BYTES_MAX),
  /** The signed `helixmesh/node-release/v1` for the vault. */
  release: base64Of(STATEMENT_BYTES_MAX),
  /** The signed grant that it rests on, for the vault; null for the requester's own. */
  grant: base64Of(GRANT_BYTES_MAX).nullable(),
});
export type TaskReleaseReply = z.infer<typeof taskReleaseReplySchema>;

const rewrapRequestSchema = z.strictObject({
  /** The requester's signed job. */
  job: base64Of(NETWORK_JOB_BYTES_MAX),
  /** The coordinator's signed assignment of an attempt to the caller. */
  assignment: base64Of(ATTEMPT_STATEMENT_BYTES_MAX),
  /** X25519 public key of the caller, which the headers are sealed to. */
  encryptionKey: publicKeySchema,
  /** Crypt4GH headers of files that other tasks of the job have made. */
  headers: z.array(base64Of(REWRAP_HEADER_BYTES_MAX)).max(REWRAP_HEADERS_MAX),
});

const rewrapReplySchema = z.strictObject({
  /** The same keys for the caller, in the same order. */
  headers: z.array(base64Of(REWRAP_HEADER_BYTES_MAX)).max(REWRAP_HEADERS_MAX),
  /** X25519 public key for what the caller makes for later tasks of the job. */
  recipient: publicKeySchema,
});

/** How a vault says that a copy is: it begins to fetch it, holds all of it, or lacks a part of it. */
export const REPLICA_STATES = ['coming', 'stored', 'damaged'] as const;
export type ReplicaState = (typeof REPLICA_STATES)[number];

const replicaRequestSchema = z.strictObject({
  /** Id of the manifest. */
  object: digestSchema,
  state: z.enum(REPLICA_STATES),
  /** What the operator's wallet has signed of where the caller is; null where it has not. */
  zoneStatement: base64Of(STATEMENT_BYTES_MAX).nullable(),
});

const replicaReplySchema = z.strictObject({
  /** Where other copies lie; whole ones come first. */
  vaults: z.array(nodeAddressTextSchema).max(VAULTS_MAX),
  /** The signed `helixmesh/replica-permit/v1` for those vaults. */
  permit: base64Of(STATEMENT_BYTES_MAX),
});
export type ReplicaReply = z.infer<typeof replicaReplySchema>;

/** A node as its coordinator sees it. */
export const nodeViewSchema = z.strictObject({
  nodeId: nodeIdFieldSchema,
  operator: addressSchema,
  endpoint: z.string().max(300),
  /** Zones of a verified statement of the operator. */
  zones: z.array(zoneSchema).max(100),
  tier: z.string().max(32),
  services: z.array(z.string().max(64)).max(1_000),
  admission: z.string().max(32),
  /** Why it gets no tasks of others; null where it may, or nobody has looked yet. */
  reason: reasonSchema.nullable(),
  liveness: z.string().max(32),
  cores: z.int().min(0),
  memoryBytes: z.int().min(0),
  diskBytes: z.int().min(0),
  gpus: z.array(z.strictObject({ model: z.string().max(100), vramBytes: z.int().min(0) })).max(64),
  tools: z.record(z.string().max(64), z.string().max(64)),
  sandbox: z.string().max(32),
  slots: z.int().min(0),
  runningAttempts: z.int().min(0),
  /** Share of the time online, hundredths of a percent. */
  uptimeBps: z.int().min(0).max(10_000),
  lastHeartbeatAtMs: timeMsSchema.nullable(),
  expiresAtMs: timeMsSchema,
});
export type NodeView = z.infer<typeof nodeViewSchema>;

const none = z.strictObject({});
const nodeParams = z.strictObject({ nodeId: z.string().regex(NODE_ID_PATTERN) });

/** Who may call: a session of an account, a node, either, or anybody without a signature. */
export type SignedBy = 'nobody' | 'account' | 'node' | 'account_or_node';

interface NetworkRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType | null;
  readonly reply: z.ZodType;
  readonly signedBy: SignedBy;
  /** Scope that an account's session must have; null where no account calls, or any session may. */
  readonly scope: Scope | null;
}

export const NETWORK_ROUTES = {
  getNode: {
    method: 'GET',
    path: '/api/v1/node',
    params: none,
    query: none,
    body: null,
    reply: nodeInfoSchema,
    signedBy: 'nobody',
    scope: null,
  },
  releaseHeader: {
    method: 'POST',
    path: '/api/v1/custody/releases',
    params: none,
    query: none,
    body: releaseRequestSchema,
    reply: releaseReplySchema,
    signedBy: 'account',
    scope: 'read',
  },
  releaseForTask: {
    method: 'POST',
    path: '/api/v1/custody/task-releases',
    params: none,
    query: none,
    body: taskReleaseRequestSchema,
    reply: taskReleaseReplySchema,
    signedBy: 'node',
    scope: null,
  },
  /** A vault announces how its copy of an object is, and may fetch what it lacks from the others. */
  rewrapForTask: {
    method: 'POST',
    path: '/api/v1/custody/task-rewraps',
    params: none,
    query: none,
    body: rewrapRequestSchema,
    reply: rewrapReplySchema,
    signedBy: 'node',
    scope: null,
  },
  endJob: {
    method: 'POST',
    /** The job's coordinator says that nothing of it goes on: what its tasks were sealed to is destroyed. */
    path: '/api/v1/custody/ended-jobs',
    params: none,
    query: none,
    body: z.strictObject({ job: digestSchema }),
    reply: none,
    signedBy: 'node',
    scope: null,
  },
  announceReplica: {
    method: 'POST',
    path: '/api/v1/custody/replicas',
    params: none,
    query: none,
    body: replicaRequestSchema,
    reply: replicaReplySchema,
    signedBy: 'node',
    scope: null,
  },
  getHead: {
    method: 'GET',
    path: '/api/v1/custody/heads/:owner',
    params: z.strictObject({ owner: addressSchema }),
    query: none,
    body: null,
    reply: z.strictObject({
      custodian: base64Of(STATEMENT_BYTES_MAX),
      head: base64Of(REVOCATION_HEAD_BYTES_MAX),
      attestation: base64Of(STATEMENT_BYTES_MAX),
    }),
    signedBy: 'nobody',
    scope: null,
  },
  registerNode: {
    method: 'POST',
    path: '/api/v1/nodes',
    params: none,
    query: none,
    /** The registration of the scheduler, signed by the node's key. */
    body: z.strictObject({ registration: base64Of(MANIFEST_BYTES_MAX) }),
    reply: nodeViewSchema,
    signedBy: 'node',
    scope: null,
  },
  heartbeat: {
    method: 'POST',
    path: '/api/v1/nodes/heartbeat',
    params: none,
    query: none,
    /** Canonical JSON of the scheduler's heartbeat: the request that carries it is signed. */
    body: z.strictObject({ heartbeat: base64Of(MANIFEST_BYTES_MAX) }),
    reply: z.strictObject({ admission: z.string().max(32), liveness: z.string().max(32) }),
    signedBy: 'node',
    scope: null,
  },
  listNodes: {
    method: 'GET',
    path: '/api/v1/nodes',
    params: none,
    query: none,
    body: null,
    reply: z.array(nodeViewSchema).max(NODES_LISTED_MAX),
    signedBy: 'account_or_node',
    scope: 'list',
  },
  drainNode: {
    method: 'POST',
    path: '/api/v1/nodes/:nodeId/drain',
    params: nodeParams,
    query: none,
    body: null,
    reply: nodeViewSchema,
    signedBy: 'node',
    scope: null,
  },
  resumeNode: {
    method: 'POST',
    path: '/api/v1/nodes/:nodeId/resume',
    params: nodeParams,
    query: none,
    body: null,
    reply: nodeViewSchema,
    signedBy: 'node',
    scope: null,
  },
  ...CANARY_ROUTES,
  ...EXECUTE_ROUTES,
  ...SEED_ROUTES,
  ...TASK_ROUTES,
} as const satisfies Record<string, NetworkRoute>;

export type NetworkRoutes = typeof NETWORK_ROUTES;
export type NetworkRouteName = keyof NetworkRoutes;
