/**
 * The manifest of a sealed object: what everybody may know of it, signed by its owner, and what only
 * readers may know, sealed with a key of its own.
 *
 * Invariants
 * F1  Sizes agree: the number of segments and the size of the body follow from the plaintext's.
 * F2  File name, media type and the plaintext's digest are in the sealed part only; its length tells
 *     nothing but a multiple of 256 bytes.
 * F3  The sealed part opens for this object in this network only.
 */
import { z } from 'zod';
import { concatBytes, fromBase64, toBase64, utf8 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { bodyBytesOf, segmentCount } from '../crypt4gh/segments.ts';
import { AEAD_NONCE_BYTES, aeadSeal, type Crypto } from '../crypto/port.ts';
import { digestBytes } from '../digest.ts';
import { AppError } from '../errors.ts';
import { lengthPrefixed } from '../length-prefix.ts';
import { MANIFEST_BYTES_MAX, OBJECT_BYTES_MAX, SEALED_PART_BYTES_MAX } from '../limits.ts';
import { parseDocument, type Signed, signedSchema } from '../signing/document.ts';
import {
  addressSchema,
  cidSchema,
  digestSchema,
  isSortedSet,
  nonceSchema,
  timeMsSchema,
  zonesSchema,
} from '../signing/fields.ts';
import type { SegmentsRoot } from './merkle.ts';
import { GROUP_SEGMENTS } from './region-keys.ts';

export const MANIFEST_TYPE = 'helixmesh/manifest/v1';
const SEALED_PART_TAG = 'helixmesh/manifest-sealed-part/v1';
/** The sealed part is filled up with spaces to a multiple of this. */
const PADDING_BYTES = 256;

/** What a grant may allow at most, and what a licence to the object asks for. */
export const termsSchema = z.strictObject({
  /** Names of pipelines, sorted; null for any. */
  pipelines: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/))
    .min(1)
    .max(100)
    .refine(isSortedSet, 'pipelines are sorted, each once')
    .nullable(),
  commercialUse: z.boolean(),
  /** Where it may be processed; null for anywhere. */
  zones: zonesSchema,
});
export type Terms = z.infer<typeof termsSchema>;

export const manifestSchema = z
  .strictObject({
    type: z.literal(MANIFEST_TYPE),
    network: digestSchema,
    owner: addressSchema,
    plaintextBytes: z.int().min(0).max(OBJECT_BYTES_MAX),
    bodyBytes: z.int().min(0),
    bodyCid: cidSchema,
    /** Rules by which the CID was made: the same bytes have other CIDs under others. */
    cidProfile: z.literal('unixfs-v1-2025'),
    segments: z.strictObject({ count: z.int().min(0), root: digestSchema }),
    /** Segments that share a data key; null where one key opens all. */
    segmentsPerKey: z.literal(GROUP_SEGMENTS).nullable(),
    /** Where copies may lie; null for anywhere. */
    residency: zonesSchema,
    terms: termsSchema,
    /** Base64 of what `sealPart` makes. */
    sealedPart: z.string().max(Math.ceil(SEALED_PART_BYTES_MAX / 3) * 4),
    nonce: nonceSchema,
    issuedAtMs: timeMsSchema,
  })
  .refine((m) => m.bodyBytes === bodyBytesOf(m.plaintextBytes), { path: ['bodyBytes'] })
  .refine((m) => m.segments.count === segmentCount(m.plaintextBytes), { path: ['segments'] });
export type Manifest = z.infer<typeof manifestSchema>;

/** What only readers of the object may know. */
export const sealedPartSchema = z.strictObject({
  /** A name, not a path. */
  fileName: z.string().min(1).max(255).refine(isFileName),
  mediaType: z
    .string()
    .max(127)
    .regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/),
  plaintextDigest: digestSchema,
});
export type SealedPart = z.infer<typeof sealedPartSchema>;

/** A signed manifest from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseManifest(bytes: Uint8Array): Signed<Manifest> {
  const what = 'a manifest';
  return parseDocument(signedSchema(manifestSchema), bytes, { what, maxBytes: MANIFEST_BYTES_MAX });
}

/** The object that a sealed part belongs to. */
export interface SealedPartOf {
  readonly network: Manifest['network'];
  readonly segments: SegmentsRoot;
}

/**
 * Seals the part for readers, under a key that is used for nothing else. Base64. Throws USAGE for a
 * part that no reader would accept.
 */
export function sealPart(
  crypto: Crypto,
  partKey: Uint8Array,
  part: SealedPart,
  object: SealedPartOf,
): string {
  if (!sealedPartSchema.safeParse(part).success) {
    throw new AppError('USAGE', 'the file name, media type or digest is not valid', {
      hint: 'Name the file without slashes, control characters and more than 255 characters.',
    });
  }
  const text = utf8(canonicalJson(part));
  const plaintext = new Uint8Array(Math.ceil(text.length / PADDING_BYTES) * PADDING_BYTES);
  plaintext.fill(' '.charCodeAt(0));
  plaintext.set(text);
  const nonce = crypto.random(AEAD_NONCE_BYTES);
  const sealed = aeadSeal(crypto, { key: partKey, nonce, plaintext, aad: aadOf(object) });
  return toBase64(concatBytes(nonce, sealed));
}

/**
 * The part for readers. Throws KEY_NOT_HELD when the key does not open it, INPUT_MALFORMED when
 * something else is inside.
 */
export function openPart(
  crypto: Crypto,
  partKey: Uint8Array,
  sealedPart: string,
  object: SealedPartOf,
): SealedPart {
  const bytes = fromBase64(sealedPart, 'the sealed part of a manifest');
  const nonce = bytes.subarray(0, AEAD_NONCE_BYTES);
  const plaintext =
    bytes.length <= AEAD_NONCE_BYTES || bytes.length > SEALED_PART_BYTES_MAX
      ? undefined
      : crypto.aeadOpen({
          key: partKey,
          nonce,
          sealed: bytes.subarray(AEAD_NONCE_BYTES),
          aad: aadOf(object),
        });
  if (plaintext === undefined) {
    throw new AppError('KEY_NOT_HELD', 'the sealed part of a manifest does not open', {
      hint: 'Ask the owner of the data for a grant to the whole object.',
    });
  }
  const end = plaintext.findLastIndex((byte) => byte !== ' '.charCodeAt(0)) + 1;
  const what = 'the sealed part of a manifest';
  const maxBytes = SEALED_PART_BYTES_MAX;
  return parseDocument(sealedPartSchema, plaintext.subarray(0, end), { what, maxBytes });
}

function aadOf({ network, segments }: SealedPartOf): Uint8Array {
  return lengthPrefixed(SEALED_PART_TAG, digestBytes(network), digestBytes(segments.root));
}

function isFileName(name: string): boolean {
  const hasOther = [...name].some((char) => char < ' ' || '/\\\x7f'.includes(char));
  return name.isWellFormed() && !hasOther && name !== '.' && name !== '..';
}
