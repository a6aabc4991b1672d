/**
 * The leaves of a body whose tree of nodes comes from somebody who is not trusted: each node is
 * compared with the CID that named it, the first one with the CID that the owner has signed.
 */
import { AppError } from '@helixmesh/protocol';
import type { ByteSource, Crypto } from '@helixmesh/protocol/sealing';
import { type Cid, isBlockOf } from '../blocks/cid.ts';
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

function otherTree(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a node is not of the tree that the owner has signed', {
    hint: 'Fetch from another vault, and report this one to its operator.',
    details: { why: 'node' },
  });
}
