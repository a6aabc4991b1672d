/**
 * `manifest.json` of a reference bundle.
 *
 * The bundle's digest is over what the files mean, not over their bytes: contigs, PAR, and for each
 * source-like file the sha256 of its decompressed content. Compressed bytes and indexes depend on
 * the versions of zlib, bwa and Java; they are derived, listed with their own sha256 and checked.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, DIGEST_PATTERN, type Digest } from '@helixmesh/protocol';
import { z } from 'zod';
import { ASSEMBLIES } from './assemblies.ts';
import { MAX_CONTIGS, MAX_NOTES } from './limits.ts';

/** Raised when a bundle must be prepared anew. */
export const MANIFEST_VERSION = 1;

const digest = z
  .string()
  .regex(DIGEST_PATTERN)
  .transform((text) => text as Digest);
const name = z.string().min(1).max(1024);

export const manifestSchema = z.strictObject({
  version: z.literal(MANIFEST_VERSION),
  contigs: z
    .array(
      z.strictObject({
        name,
        lengthBases: z.int().positive(),
        md5: z.string().regex(/^[0-9a-f]{32}$/),
        refget: z.string().regex(/^SQ\.[A-Za-z0-9_-]{32}$/),
      }),
    )
    .min(1)
    .max(MAX_CONTIGS),
  /** Known by the lengths of X and Y, else null. */
  assembly: z.enum(ASSEMBLIES).nullable(),
  par: z.array(z.strictObject({ refName: name, start: z.int().min(0), end: z.int().positive() })),
  /** Whether HGVS names can be given: gene models and a SnpEff database are there. */
  hasHgvs: z.boolean(),
  files: z.array(
    z.strictObject({
      name: name.regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/).refine((n) => !n.includes('..')),
      digest,
      sizeBytes: z.int().min(0),
      /** sha256 of the decompressed content; null for what is derived from other files. */
      content: digest.nullable(),
    }),
  ),
  sources: z.array(
    z.strictObject({
      kind: z.enum(['fasta', 'gff', 'clinvar', 'dbsnp', 'gnomad', 'par']),
      fileName: name,
      digest,
      fileDate: z.string().max(1000).nullable(),
    }),
  ),
  notes: z.array(z.string()).max(MAX_NOTES),
});
export type ReferenceManifest = z.infer<typeof manifestSchema>;

/** The bundle's identity; see above for what it covers. */
export function bundleDigest(manifest: ReferenceManifest): Digest {
  const { version, contigs, par, hasHgvs } = manifest;
  const files = manifest.files
    .filter((file) => file.content !== null)
    .map((file) => ({ name: file.name, content: file.content }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const text = canonicalJson({ version, contigs, par, hasHgvs, files });
  const hex = createHash('sha256').update('helixmesh/reference/v1\n').update(text).digest('hex');
  return `sha256:${hex}` as Digest;
}
