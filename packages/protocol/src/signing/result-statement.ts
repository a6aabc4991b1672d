/**
 * Statements of results: a node states with its Ed25519 key which files, byte for byte, it has made for
 * which attempt of which job, and what of them it says is compared. Sealed beside the index, for the
 * same readers: names of files tell of people. Who is given the files and the statement needs no
 * network to see who has made them.
 *
 * Invariants
 * S1  The result digest that is stated is made of the job hash and the canonical digests that are
 *     stated. So it shows what the commit and the reveal of the attempt were about.
 * S2  An attempt is in it, of which there is one: a statement of one is none of another.
 *
 * Left out: whether others agreed, who the node is beside its key, and whether the canonical digests are
 * those of the bytes. The requester checks them (`biofs result`); to others they are the node's word.
 */
import { z } from 'zod';
import type { Crypto } from '../crypto/port.ts';
import type { Digest } from '../ids.ts';
import { RESULT_FILES_MAX, RESULT_STATEMENT_BYTES_MAX } from '../limits.ts';
import { nodeIdFieldSchema } from '../network/address.ts';
import { keySignedSchema, parseDocument, type Signed, verifyWithKey } from './document.ts';
import {
  addressSchema,
  attemptIdSchema,
  digestSchema,
  fencingTokenSchema,
  isSortedSet,
  taskIdSchema,
  timeMsSchema,
} from './fields.ts';
import { keyOfNode } from './key-of-node.ts';
import {
  COMPARED_FORMATS,
  type ComparedResult,
  resultDigestOf,
  resultPathSchema,
} from './result.ts';

export { RESULT_STATEMENT_BYTES_MAX };

export const RESULT_STATEMENT_TYPE = 'helixmesh/result-statement/v1';

/** Name of the sealed statement. */
export const RESULT_STATEMENT = 'statement.c4gh';
/** Name of the opened one, beside the files: no file of a result has it. */
export const RESULT_STATEMENT_FILE = 'statement.json';

const outputSchema = z.strictObject({
  path: resultPathSchema.refine((path) => path.split('/')[0] !== RESULT_STATEMENT_FILE),
  sizeBytes: z.int().min(0),
  /** Of the bytes of the file. */
  sha256: digestSchema,
  /** What nodes compare of it; null for what they do not compare. */
  canonical: z.strictObject({ format: z.enum(COMPARED_FORMATS), digest: digestSchema }).nullable(),
});

export const resultStatementSchema = z
  .strictObject({
    type: z.literal(RESULT_STATEMENT_TYPE),
    network: digestSchema,
    /** Id of the job's document. */
    job: digestSchema,
    taskId: taskIdSchema,
    attemptId: attemptIdSchema,
    fencingToken: fencingTokenSchema,
    /** Whose key has signed it. */
    nodeId: nodeIdFieldSchema,
    /** The wallet that answers for the node, as the node says. */
    operator: addressSchema.nullable(),
    /** Of inputs, tools and parameters: what the result digest is for. */
    jobHash: digestSchema,
    resultDigest: digestSchema,
    /** All files, in order of path. */
    outputs: z
      .array(outputSchema)
      .min(1)
      .max(RESULT_FILES_MAX)
      .refine((outputs) => isSortedSet(outputs.map(({ path }) => path))),
    /** When the node took the attempt, and when all was sealed, by its own clock. */
    startedAtMs: timeMsSchema,
    endedAtMs: timeMsSchema,
  })
  .refine(({ startedAtMs, endedAtMs }) => startedAtMs <= endedAtMs, { path: ['endedAtMs'] });
export type ResultStatement = z.infer<typeof resultStatementSchema>;
export type StatedOutput = ResultStatement['outputs'][number];

/** A signed statement of a result from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseResultStatement(bytes: Uint8Array): Signed<ResultStatement> {
  const options = { what: 'a statement of a result', maxBytes: RESULT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(resultStatementSchema), bytes, options);
}

/** What of the files is compared, as the statement says. */
export function statedResult({
  jobHash,
  outputs,
}: Pick<ResultStatement, 'jobHash' | 'outputs'>): ComparedResult {
  const files = outputs.flatMap(({ path, canonical }) =>
    canonical === null ? [] : [{ path, ...canonical }],
  );
  return { jobHash, files };
}

export type ResultStatementVerdict =
  | { readonly status: 'valid'; readonly id: Digest }
  | { readonly status: 'invalid'; readonly reason: 'network' | 'signature' | 'result' };

/** Whether the node that a statement names has signed it, in this network, and S1 holds. */
export function verifyResultStatement(
  crypto: Crypto,
  signed: Signed<ResultStatement>,
  network: Digest,
): ResultStatementVerdict {
  const { document } = signed;
  const expected = { network, publicKey: keyOfNode(document.nodeId) };
  const verdict = verifyWithKey(crypto, signed, expected);
  if (verdict.status === 'invalid') return verdict;
  const isOfOutputs =
    resultDigestOf(crypto, network, statedResult(document)) === document.resultDigest;
  return isOfOutputs ? verdict : { status: 'invalid', reason: 'result' };
}
