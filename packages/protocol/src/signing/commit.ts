/**
 * Commit and reveal: a node binds itself to a result before it can see another one's.
 *
 *   commit = H(LP('helixmesh/commit/v1', network, taskId, attemptId, fencingToken as u64 big-endian,
 *              nodeId, resultDigest, salt of 32 bytes))
 *
 * Invariants
 * R1  Node and attempt are in the hash: a commit that was copied opens for nobody but its maker.
 * R2  The salt hides the result. A digest alone is guessable (`nothing found`), and no document of
 *     a commit holds it.
 * R3  Statement and reveal have no time of their own, so that saying it again is the same document.
 */
import { z } from 'zod';
import { fromHex, u64be } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { digestBytes, digestOf } from '../digest.ts';
import type { AttemptId, Digest, NodeId, TaskId } from '../ids.ts';
import { ATTEMPT_STATEMENT_BYTES_MAX } from '../limits.ts';
import { nodeIdFieldSchema } from '../network/address.ts';
import { keySignedSchema, parseDocument, type Signed, verifyWithKey } from './document.ts';
import { attemptIdSchema, digestSchema, fencingTokenSchema, taskIdSchema } from './fields.ts';
import { keyOfNode } from './key-of-node.ts';

const COMMIT_TAG = 'helixmesh/commit/v1';
export const COMMIT_STATEMENT_TYPE = 'helixmesh/commit-statement/v1';
export const REVEAL_TYPE = 'helixmesh/reveal/v1';
export const COMMIT_SALT_BYTES = 32;

const attemptFields = {
  network: digestSchema,
  taskId: taskIdSchema,
  attemptId: attemptIdSchema,
  fencingToken: fencingTokenSchema,
  /** Whose key has signed it. */
  nodeId: nodeIdFieldSchema,
};

export const commitStatementSchema = z.strictObject({
  type: z.literal(COMMIT_STATEMENT_TYPE),
  ...attemptFields,
  commit: digestSchema,
});
export type CommitStatement = z.infer<typeof commitStatementSchema>;

export const revealSchema = z.strictObject({
  type: z.literal(REVEAL_TYPE),
  ...attemptFields,
  resultDigest: digestSchema,
  /** 32 bytes in hex. */
  salt: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Reveal = z.infer<typeof revealSchema>;

/** What a commit binds. */
export interface Commitment {
  readonly network: Digest;
  readonly taskId: TaskId;
  readonly attemptId: AttemptId;
  readonly fencingToken: number;
  readonly nodeId: NodeId;
  /** The canonical digest of all outputs. */
  readonly resultDigest: Digest;
  /** 32 bytes in hex, random, of this attempt alone. */
  readonly salt: string;
}

export function commitOf(crypto: Crypto, commitment: Commitment): Digest {
  const { network, taskId, attemptId, fencingToken, nodeId, resultDigest, salt } = commitment;
  return digestOf(
    crypto,
    COMMIT_TAG,
    digestBytes(network),
    taskId,
    attemptId,
    u64be(fencingToken),
    nodeId,
    digestBytes(resultDigest),
    fromHex(salt, { what: 'a salt', bytes: COMMIT_SALT_BYTES }),
  );
}

/** Whether a reveal is what `commit` was made of. */
export function opensCommit(crypto: Crypto, reveal: Reveal, commit: Digest): boolean {
  return commitOf(crypto, reveal) === commit;
}

/** A signed statement of a commit from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseCommitStatement(bytes: Uint8Array): Signed<CommitStatement> {
  const options = { what: 'a commit', maxBytes: ATTEMPT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(commitStatementSchema), bytes, options);
}

/** A signed reveal from its canonical bytes. Throws INPUT_MALFORMED. */
export function parseReveal(bytes: Uint8Array): Signed<Reveal> {
  const options = { what: 'a reveal', maxBytes: ATTEMPT_STATEMENT_BYTES_MAX };
  return parseDocument(keySignedSchema(revealSchema), bytes, options);
}

/** Whether the node that a commit statement or a reveal names has signed it, in this network. */
export function isSignedByItsNode(
  crypto: Crypto,
  signed: Signed<CommitStatement | Reveal>,
  network: Digest,
): boolean {
  const expected = { network, publicKey: keyOfNode(signed.document.nodeId) };
  return verifyWithKey<CommitStatement | Reveal>(crypto, signed, expected).status === 'valid';
}
