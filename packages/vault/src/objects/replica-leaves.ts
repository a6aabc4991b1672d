/**
 * The leaves of a body whose tree of nodes comes from somebody who is not trusted: each node is
 * compared with the CID that named it, the first one with the CID that the owner has signed.
 */
import { AppError } from '@helixmesh/protocol';
import { type ByteSource, type Crypto, inPieces } from '@helixmesh/protocol/sealing';
import { type Cid, isBlockOf } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { type DagBlock, type DagRoot, dagBlocks } from './dag.ts';

export type ReplicaLeaf = Pick<DagBlock, 'cid' | 'range'>;

/**
 * In the order of the body; `nodes` as `SealedObject.nodes` gives them. Throws CIPHERTEXT_INVALID for
 * any that is not the next one of the tree. Memory is some 150 bytes a leaf.
 */
export async function replicaLeaves(
  crypto: Crypto,
  root: DagRoot,
  nodes: ByteSource,
): Promise<readonly ReplicaLeaf[]> {
  const source = nodes[Symbol.asyncIterator]();
  const leaves: ReplicaLeaf[] = [];
  const get = async (cid: Cid) => {
    const { value, done } = await source.next();
    if (done !== true && isBlockOf(crypto, cid, value)) return value;
    throw otherTree();
  };
  try {
    const whole = { start: 0, end: root.sizeBytes };
    for await (const { cid, range, isLeaf } of dagBlocks(get, root, whole)) {
      if (isLeaf) leaves.push({ cid, range });
    }
  } finally {
    await source.return?.();
  }
  return leaves;
}

/**
 * `bytes` of a body as those `leaves`, which lie one behind the other: a piece for each, compared with
 * its CID. Ends with the bytes; throws CIPHERTEXT_INVALID for any that are not of the next leaf.
 */
export async function* verifiedLeaves(
  crypto: Crypto,
  leaves: readonly ReplicaLeaf[],
  bytes: ByteSource,
): AsyncGenerator<Uint8Array> {
  let next = 0;
  for await (const leaf of inPieces(bytes, BLOCK_BYTES_MAX)) {
    const expected = leaves[next];
    if (expected === undefined || !isBlockOf(crypto, expected.cid, leaf)) throw otherLeaf();
    next += 1;
    // It may be a view into a message that is larger.
    yield leaf.slice();
  }
}

function otherLeaf(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a vault has sent bytes that were not signed', {
    hint: 'Fetch from another vault, and report this one to its operator.',
    details: { why: 'leaf' },
  });
}

function otherTree(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a node is not of the tree that the owner has signed', {
    hint: 'Fetch from another vault, and report this one to its operator.',
    details: { why: 'node' },
  });
}
