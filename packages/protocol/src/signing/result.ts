/**
 * What an analysis for the network hands over: the index that stands sealed beside the sealed files,
 * and the digest that nodes agree on.
 *
 *   H(LP('helixmesh/result/v1', network, job hash, canonical JSON of [{digest, format, path}, …]))
 *
 * Invariants
 * I1  The digest covers the paths, formats and canonical digests of what is compared, in order of
 *     path, and the job hash: two sets that differ in one of them have different digests.
 * I2  A path of an index stays below the folder that it is written to, and no two are the same.
 *
 * Left out: how a file's canonical digest is made (`packages/pipelines/src/canonical`).
 */
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.ts';
import type { Crypto } from '../crypto/port.ts';
import { digestBytes, digestOf } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { RESULT_FILES_MAX, RESULT_INDEX_BYTES_MAX, RESULT_PATH_CHARS_MAX } from '../limits.ts';
import { parseDocument } from './document.ts';
import { digestSchema, isSortedSet } from './fields.ts';

export { RESULT_INDEX_BYTES_MAX };

const RESULT_TAG = 'helixmesh/result/v1';

/** Name of the sealed index. */
export const RESULT_INDEX = 'index.c4gh';

/** How canonical digests are made; `index` and `opaque` have none that is compared. */
export const COMPARED_FORMATS = ['bam', 'vcf', 'json', 'fastp-json', 'text'] as const;
export type ComparedFormat = (typeof COMPARED_FORMATS)[number];

/** Parts of letters, digits and a few signs, none of which begins with a dot (I2). */
const PATH_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/;

export const resultPathSchema = z.string().max(RESULT_PATH_CHARS_MAX).regex(PATH_PATTERN);

const indexSchema = z
  .strictObject({
    jobHash: digestSchema,
    /** What is compared, in order of path: the digest of the result is made of it. */
    compared: z
      .array(
        z.strictObject({
          path: resultPathSchema,
          format: z.enum(COMPARED_FORMATS),
          /** Of the canonical content. */
          digest: digestSchema,
        }),
      )
      .min(1)
      .max(RESULT_FILES_MAX)
      .refine((files) => isSortedSet(files.map(({ path }) => path)), 'in order of path, each once'),
    /** All that is there. */
    files: z
      .array(
        z.strictObject({
          path: resultPathSchema,
          sealedAs: z.string().regex(/^[1-9][0-9]{0,5}\.c4gh$/),
          /** Of the plaintext. */
          sizeBytes: z.int().min(0),
        }),
      )
      .min(1)
      .max(RESULT_FILES_MAX)
      .refine(areApart, 'no path and no sealed file twice, and none below another'),
  })
  .refine(
    ({ compared, files }) => {
      const paths = new Set(files.map(({ path }) => path));
      return compared.every(({ path }) => paths.has(path));
    },
    { path: ['compared'], message: 'each file that is compared is there' },
  );
export type ResultIndex = Readonly<z.infer<typeof indexSchema>>;

/** What the digest is made of. */
export interface ComparedResult {
  readonly jobHash: Digest;
  /** In order of path. */
  readonly files: readonly {
    readonly path: string;
    readonly format: string;
    readonly digest: Digest;
  }[];
}

/** An index from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseResultIndex(bytes: Uint8Array): ResultIndex {
  const options = { what: 'an index of results', maxBytes: RESULT_INDEX_BYTES_MAX };
  return parseDocument(indexSchema, bytes, options);
}

export function resultDigestOf(
  crypto: Crypto,
  network: Digest,
  { jobHash, files }: ComparedResult,
): Digest {
  const list = canonicalJson(files.map(({ digest, format, path }) => ({ digest, format, path })));
  return digestOf(crypto, RESULT_TAG, digestBytes(network), digestBytes(jobHash), list);
}

function areApart(files: readonly { readonly path: string; readonly sealedAs: string }[]): boolean {
  const paths = new Set(files.map(({ path }) => path));
  const sealed = new Set(files.map(({ sealedAs }) => sealedAs));
  if (paths.size !== files.length || sealed.size !== files.length) return false;
  return files.every(({ path }) => {
    const parts = path.split('/');
    return parts.slice(1).every((_, i) => !paths.has(parts.slice(0, i + 1).join('/')));
  });
}
