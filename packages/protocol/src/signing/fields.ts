/** Schemas of the fields that signed documents share: text that has one spelling each. */
import { z } from 'zod';
import {
  ATTEMPT_ID_PATTERN,
  type AttemptId,
  DIGEST_PATTERN,
  type Digest,
  TASK_ID_PATTERN,
  type TaskId,
} from '../ids.ts';
import { OPERATORS_MAX } from '../limits.ts';

export const digestSchema = z.string().regex(DIGEST_PATTERN) as unknown as z.ZodType<Digest>;

/** An Ethereum account in lower case; mixed-case checksums are for people's eyes. */
export const addressSchema = z.string().regex(/^0x[0-9a-f]{40}$/);

/** An X25519 or Ed25519 public key: 64 lower-case hex digits. */
export const publicKeySchema = z.string().regex(/^[0-9a-f]{64}$/);

/** 16 random bytes that make equal statements different documents. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** Milliseconds since 1970, UTC. */
export const timeMsSchema = z.int().min(0).max(8_640_000_000_000_000);

export const taskIdSchema = z.string().regex(TASK_ID_PATTERN) as unknown as z.ZodType<TaskId>;

export const attemptIdSchema = z
  .string()
  .regex(ATTEMPT_ID_PATTERN) as unknown as z.ZodType<AttemptId>;

/** Rises with each attempt of a task; a result under an older one is discarded. */
export const fencingTokenSchema = z.int().min(1);

/** Name of a pipeline. */
export const pipelineNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);

/** CIDv1 of SHA-256 in base32: of one raw leaf or a dag-pb tree. */
export const cidSchema = z.string().regex(/^baf(kre|ybe)i[a-z2-7]{52}$/);

/** A legal zone: `EU`, a country, or a part of one (`US-CA`). */
export const zoneSchema = z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/);

/** Zones in order, each once; null where none is demanded. */
export const zonesSchema = z
  .array(zoneSchema)
  .min(1)
  .max(300)
  .refine(isSortedSet, 'zones are sorted, each once')
  .nullable();

/** Accounts of operators in order, each once; null for any. */
export const operatorsSchema = z
  .array(addressSchema)
  .min(1)
  .max(OPERATORS_MAX)
  .refine(isSortedSet, 'operators are sorted, each once')
  .nullable();

/** What a node is for by its hardware and services, as the capability matrix names it. */
export const TIERS = ['basic', 'gpu', 'storage', 'ai'] as const;
export const tierSchema = z.enum(TIERS);
export type Tier = z.infer<typeof tierSchema>;

/** Tiers in the order of their letters, each once; null for any. */
export const tiersSchema = z
  .array(tierSchema)
  .min(1)
  .max(TIERS.length)
  .refine(isSortedSet, 'tiers are sorted, each once')
  .nullable();

/** True when each text is greater than the one before it. */
export function isSortedSet(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || (texts[i - 1] ?? '') < text);
}

/** Padded base64 of at most so many bytes. What it decodes to is for the parser of the document. */
export function base64Of(maxBytes: number): z.ZodString {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/);
}
