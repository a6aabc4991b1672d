/**
 * What a node signs to join: the document of its registration, and in it what its operator's wallet
 * has signed about the zones that the node is in. Schema and bounds; `registration-proof.ts` checks
 * the signatures.
 *
 * A later registration replaces an earlier one by its higher sequence number. What the network has
 * observed (uptime, verdicts) is not part of it, so that registering again resets nothing.
 *
 * What it does not do: without a zone statement nobody but the node says who its operator is.
 */
import {
  digestSchema,
  keySignedSchema,
  parseDocument,
  type Signed,
  signedSchema,
} from '@helixmesh/protocol/sealing';
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
  REGISTRATION_BYTES_MAX,
  REGISTRATION_MAX_MS,
  SERVICES_MAX,
  SLOTS_MAX,
  STATED_ZONES_MAX,
  TOOLS_MAX,
  VRAM_MAX_BYTES,
  ZONE_STATEMENT_BYTES_MAX,
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

/** Printable ASCII: what a node says of itself is shown on other people's terminals. */
const MODEL_PATTERN = /^[\x20-\x7e]{1,100}$/;
const ENDPOINT_PATTERN = /^https:\/\/[\x21-\x7e]+$/;

export const hardwareSchema = z.strictObject({
  cores: z.int().min(1).max(CORES_MAX),
  memoryBytes: z.int().min(1).max(MEMORY_MAX_BYTES),
  /** Scratch and vault together. */
  diskBytes: z.int().min(0).max(DISK_MAX_BYTES),
  gpus: z
    .array(
      z.strictObject({
        model: z.string().regex(MODEL_PATTERN),
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

export const ZONE_STATEMENT_TYPE = 'helixmesh/zone-statement/v1';

/** An operator's legal statement about one node, which the operator's wallet signs. */
export const zoneStatementSchema = z.strictObject({
  type: z.literal(ZONE_STATEMENT_TYPE),
  network: digestSchema,
  nodeId: nodeIdSchema,
  operator: operatorIdSchema,
  /** Every zone that the node is in, as `["DE", "EU"]`; sorted, each once. */
  zones: statedZonesSchema,
  untilMs: z.int().min(0),
});
export type ZoneStatement = z.infer<typeof zoneStatementSchema>;

export const REGISTRATION_TYPE = 'helixmesh/registration/v1';

export const registrationSchema = z
  .strictObject({
    type: z.literal(REGISTRATION_TYPE),
    network: digestSchema,
    /** Holds the public key that signs this. */
    nodeId: nodeIdSchema,
    operator: operatorIdSchema,
    endpoint: z
      .url({ protocol: /^https$/ })
      .regex(ENDPOINT_PATTERN)
      .max(ENDPOINT_MAX_CHARS),
    /** Where the node says it is; null where it does not say. */
    location: locationSchema.nullable(),
    zoneStatement: signedSchema(zoneStatementSchema).nullable(),
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
  .refine(isStatedForIt, {
    path: ['zoneStatement'],
    error: 'the statement is about another node, or of another operator or network',
  })
  .refine(
    ({ issuedAtMs, expiresAtMs }) =>
      expiresAtMs > issuedAtMs && expiresAtMs - issuedAtMs <= REGISTRATION_MAX_MS,
    { path: ['expiresAtMs'], error: 'must be after issuedAtMs, by a year at most' },
  );
export type Registration = z.infer<typeof registrationSchema>;

/** A signed registration from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseRegistration(bytes: Uint8Array): Signed<Registration> {
  const options = { what: 'a registration', maxBytes: REGISTRATION_BYTES_MAX };
  return parseDocument(keySignedSchema(registrationSchema), bytes, options);
}

/** A signed statement from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseZoneStatement(bytes: Uint8Array): Signed<ZoneStatement> {
  const options = { what: 'a zone statement', maxBytes: ZONE_STATEMENT_BYTES_MAX };
  return parseDocument(signedSchema(zoneStatementSchema), bytes, options);
}

function isStatedForIt(body: {
  readonly network: string;
  readonly nodeId: string;
  readonly operator: string;
  readonly zoneStatement: Signed<ZoneStatement> | null;
}): boolean {
  if (body.zoneStatement === null) return true;
  const { network, nodeId, operator } = body.zoneStatement.document;
  return network === body.network && nodeId === body.nodeId && operator === body.operator;
}
