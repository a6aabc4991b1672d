/**
 * What a decision knows of a node: its registration, what the network has observed of it, and the
 * free resources of its last heartbeat, as one flat record of plain JSON. A decision stores these
 * facts, so everything that a constraint or a term reads must be here.
 */
import { tierSchema } from '@helixmesh/protocol/sealing';
import { z } from 'zod';
import { locationSchema } from '../geo/distance.ts';
import { nameSchema, nodeIdSchema, operatorIdSchema } from '../ids.ts';
import {
  CORES_MAX,
  DISK_MAX_BYTES,
  GPUS_MAX,
  LIST_MAX,
  MEMORY_MAX_BYTES,
  SERVICES_MAX,
  VRAM_MAX_BYTES,
} from '../limits.ts';
import { isBanned, type Reputation, toolSetSchema } from '../quorum/reputation.ts';
import { type Heartbeat, LIVENESS, livenessOf, type Uptime, uptimeBps } from './heartbeat.ts';
import { NODE_PHASES, type NodeLifecycle } from './lifecycle.ts';
import {
  pricesSchema,
  type Registration,
  SANDBOX_STRENGTHS,
  statedZonesSchema,
  toolVersionsSchema,
} from './registration.ts';
import { tierOf } from './tier.ts';

export const nodeFactsSchema = z.strictObject({
  nodeId: nodeIdSchema,
  operator: operatorIdSchema,
  tier: tierSchema,
  /** Whether the network admits the node; slots in use do not show here but in `liveness`. */
  admission: z.enum(NODE_PHASES),
  liveness: z.enum(LIVENESS),
  isRegistrationValid: z.boolean(),
  services: z.array(nameSchema).max(SERVICES_MAX),
  tools: toolVersionsSchema,
  freeCores: z.int().min(0).max(CORES_MAX),
  freeMemoryBytes: z.int().min(0).max(MEMORY_MAX_BYTES),
  freeDiskBytes: z.int().min(0).max(DISK_MAX_BYTES),
  /** Free memory of each GPU that no attempt holds. */
  freeGpuVramBytes: z.array(z.int().min(0).max(VRAM_MAX_BYTES)).max(GPUS_MAX),
  sandbox: z.enum(SANDBOX_STRENGTHS),
  /** The operator's legal statement; null when there is none or its signature does not hold. */
  statement: z
    .strictObject({
      zones: statedZonesSchema,
      untilMs: z.int().min(0),
      /** The network's allow-list attests statements of this operator. */
      isNetworkAttested: z.boolean(),
    })
    .nullable(),
  location: locationSchema.nullable(),
  /** False when measured round trips contradict the location. */
  isLocationPlausible: z.boolean(),
  prices: pricesSchema,
  /** Share of the time online, hundredths of a percent. */
  uptimeBps: z.int().min(0).max(10_000),
  bannedToolSets: z.array(toolSetSchema).max(LIST_MAX),
});
export type NodeFacts = z.infer<typeof nodeFactsSchema>;

/** A node as the coordinator's tables hold it. */
export interface NodeState {
  readonly registration: Registration;
  readonly lifecycle: NodeLifecycle;
  /** The last heartbeat and when it came; null before the first. */
  readonly heartbeat: { readonly atMs: number; readonly body: Heartbeat } | null;
  readonly uptime: Uptime | null;
  readonly reputations: readonly Reputation[];
  /** True when the signature of the operator's zone statement has been verified. */
  readonly isZoneStatementVerified: boolean;
  readonly isNetworkAttested: boolean;
  readonly isLocationPlausible: boolean;
}

/** The facts of a node at `nowMs`. A node without a heartbeat has nothing free. */
export function factsOf(node: NodeState, nowMs: number): NodeFacts {
  const { registration, lifecycle, heartbeat } = node;
  const last =
    heartbeat === null
      ? null
      : {
          atMs: heartbeat.atMs,
          isDraining: heartbeat.body.isDraining,
          runningAttempts: Math.max(heartbeat.body.runningAttempts, lifecycle.held.length),
        };
  return {
    nodeId: registration.nodeId,
    operator: registration.operator,
    tier: tierOf(registration),
    admission: lifecycle.admission,
    liveness: livenessOf(last, { slots: lifecycle.slots, nowMs }),
    isRegistrationValid: registration.issuedAtMs <= nowMs && nowMs < registration.expiresAtMs,
    services: registration.services,
    tools: registration.hardware.tools,
    ...freeOf(registration, heartbeat?.body),
    sandbox: registration.hardware.sandbox,
    statement: statementOf(node),
    location: registration.location,
    isLocationPlausible: node.isLocationPlausible,
    prices: registration.prices,
    uptimeBps: uptimeBps(node.uptime, nowMs),
    bannedToolSets: node.reputations.filter(isBanned).map(({ toolSet }) => toolSet),
  };
}

/** Never more than was registered and verified, whatever a heartbeat says. */
function freeOf({ hardware }: Registration, beat: Heartbeat | undefined) {
  const gpus = beat?.gpus ?? [];
  return {
    freeCores: Math.min(hardware.cores, beat?.freeCores ?? 0),
    freeMemoryBytes: Math.min(hardware.memoryBytes, beat?.freeMemoryBytes ?? 0),
    freeDiskBytes: Math.min(hardware.diskBytes, beat?.freeDiskBytes ?? 0),
    freeGpuVramBytes: hardware.gpus.flatMap(({ vramBytes }, index) => {
      const gpu = gpus[index];
      return gpu === undefined || gpu.isHeld ? [] : [Math.min(vramBytes, gpu.freeVramBytes)];
    }),
  };
}

function statementOf({ registration, isZoneStatementVerified, isNetworkAttested }: NodeState) {
  const { zoneStatement } = registration;
  if (zoneStatement === null || !isZoneStatementVerified) return null;
  const { zones, untilMs } = zoneStatement.document;
  return { zones, untilMs, isNetworkAttested };
}
