/** Schemas of the fields that signed documents share: text that has one spelling each. */
import { z } from 'zod';
import { DIGEST_PATTERN, type Digest } from '../ids.ts';

export const digestSchema = z.string().regex(DIGEST_PATTERN) as unknown as z.ZodType<Digest>;

/** An Ethereum account in lower case; mixed-case checksums are for people's eyes. */
export const addressSchema = z.string().regex(/^0x[0-9a-f]{40}$/);

/** An X25519 or Ed25519 public key: 64 lower-case hex digits. */
export const publicKeySchema = z.string().regex(/^[0-9a-f]{64}$/);

/** 16 random bytes that make equal statements different documents. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** Milliseconds since 1970, UTC. */
export const timeMsSchema = z.int().min(0).max(8_640_000_000_000_000);

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

/** True when each text is greater than the one before it. */
export function isSortedSet(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || (texts[i - 1] ?? '') < text);
}
