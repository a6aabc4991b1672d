/**
 * What a node signs to join: the body of its registration. Schema and bounds only; the signature
 * over its canonical JSON is made and checked with the keys of the protocol.
 *
 * A later registration replaces an earlier one by its higher sequence number. What the network has
 * observed (uptime, verdicts) is not part of it, so that registering again resets nothing.
 */
import { DIGEST_PATTERN } from '@helixmesh/protocol';
import { z } from 'zod';
import { locationSchema } from '../geo/distance.ts';
import { zoneSchema } from '../geo/zones.ts';
import { nameSchema, nodeIdSchema, operatorIdSchema } from '../ids.ts';
import {
  CORES_MAX,
  DISK_MAX_BYTES,
  ENDPOINT_MAX_CHARS,
  GPUS_MAX,
  MEMORY_MAX_BYTES,
  RATE_MAX_MICRO_USD,
  REGISTRATION_MAX_MS,
  SERVICES_MAX,
  SLOTS_MAX,
  STATED_ZONES_MAX,
  TOOLS_MAX,
  VRAM_MAX_BYTES,
} from '../limits.ts';

/**
 * How well a node holds a tool in: `strong` is a sandbox with a cgroup for each attempt, `weak` one
 * without, `process` none. Weakest first.
 */
export const SANDBOX_STRENGTHS = ['process', 'weak', 'strong'] as const;
export type SandboxStrength = (typeof SANDBOX_STRENGTHS)[number];

export const toolVersionsSchema = z
  .record(nameSchema, nameSchema)
  .refine((tools) => Object.keys(tools).length <= TOOLS_MAX, `more than ${TOOLS_MAX} tools`);

export const hardwareSchema = z.strictObject({
  cores: z.int().min(1).max(CORES_MAX),
  memoryBytes: z.int().min(1).max(MEMORY_MAX_BYTES),
  /** Scratch and vault together. */
  diskBytes: z.int().min(0).max(DISK_MAX_BYTES),
  gpus: z
    .array(
      z.strictObject({
        model: z.string().min(1).max(100),
        vramBytes: z.int().min(1).max(VRAM_MAX_BYTES),
      }),
    )
    .max(GPUS_MAX),
  tools: toolVersionsSchema,
  sandbox: z.enum(SANDBOX_STRENGTHS),
});
export type Hardware = z.infer<typeof hardwareSchema>;

const rate = z.int().min(0).max(RATE_MAX_MICRO_USD);

/** Whole micro-USD for each unit of use. */
export const pricesSchema = z.strictObject({
  coreHourMicroUsd: rate,
  gpuHourMicroUsd: rate,
  /** For each GiB that comes in or goes out. */
  transferGibMicroUsd: rate,
  /** For each GiB kept for 30 days. */
  storageGibMonthMicroUsd: rate,
});
export type Prices = z.infer<typeof pricesSchema>;

/** Zones in order, each once. */
export const statedZonesSchema = z
  .array(zoneSchema)
  .min(1)
  .max(STATED_ZONES_MAX)
  .refine((zones) => zones.every((zone, n) => n === 0 || (zones[n - 1] ?? '') < zone), {
    error: 'not in order, or one of them twice',
  });

/** An operator's legal statement, signed by the operator's wallet. */
export const zoneStatementSchema = z.strictObject({
  /** Every zone that the node is in, as `["DE", "EU"]`; sorted, each once. */
  zones: statedZonesSchema,
  operator: operatorIdSchema,
  untilMs: z.int().min(0),
  /** EIP-191 over the canonical JSON of the other members. */
  signature: z.string().regex(/^0x[0-9a-f]{130}$/),
});
export type ZoneStatement = z.infer<typeof zoneStatementSchema>;

export const registrationSchema = z
  .strictObject({
    v: z.literal(1),
    /** Digest of the network's genesis document. */
    networkId: z.string().regex(DIGEST_PATTERN),
    /** Holds the public key that signs this. */
    nodeId: nodeIdSchema,
    operator: operatorIdSchema,
    endpoint: z.url({ protocol: /^https$/ }).max(ENDPOINT_MAX_CHARS),
    location: locationSchema,
    zoneStatement: zoneStatementSchema.nullable(),
    hardware: hardwareSchema,
    services: z.array(nameSchema).max(SERVICES_MAX),
    prices: pricesSchema,
    /** Attempts that the node takes at once. */
    slots: z.int().min(1).max(SLOTS_MAX),
    /** Higher in each registration of the same node. */
    sequence: z.int().min(0),
    issuedAtMs: z.int().min(0),
    expiresAtMs: z.int().min(0),
  })
  .refine((body) => new Set(body.services).size === body.services.length, {
    path: ['services'],
    error: 'a service is named twice',
  })
  .refine((body) => body.zoneStatement === null || body.zoneStatement.operator === body.operator, {
    path: ['zoneStatement', 'operator'],
    error: 'the zone is stated by another operator',
  })
  .refine(
    ({ issuedAtMs, expiresAtMs }) =>
      expiresAtMs > issuedAtMs && expiresAtMs - issuedAtMs <= REGISTRATION_MAX_MS,
    { path: ['expiresAtMs'], error: 'must be after issuedAtMs, by a year at most' },
  );
export type Registration = z.infer<typeof registrationSchema>;
