/**
 * Ties: nodes of equal score are put in an order that differs from task to task, so that equal nodes
 * share the work. The order is a function of task and node alone: whoever replays a decision comes to
 * the same.
 *
 * FNV-1a over the node id, begun with a hash of the task id, and the finalizer of MurmurHash3. Each of
 * their steps is one-to-one in 32 bits, so for tasks spread evenly every node has every value equally
 * often: nobody can choose a node id that wins ties. It is no secret and no signature, and 10,000 of
 * them take less than 2 ms.
 */
import type { NodeId } from '@helixmesh/protocol';

/** 2³² − 1. */
export const TIE_MAX = 0xffff_ffff;

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** `node_` is the same in every id. */
const NODE_PREFIX_CHARS = 'node_'.length;

/** The number of a task that `tieOf` begins with. */
export function tieSeedOf(taskId: string): number {
  return finalized(fnv1a(FNV_OFFSET, taskId, 0));
}

/** 0–2³² − 1; of nodes with equal score the lower comes first. */
export function tieOf(seed: number, nodeId: NodeId): number {
  return finalized(fnv1a(seed, nodeId, NODE_PREFIX_CHARS)) >>> 0;
}

function fnv1a(start: number, text: string, from: number): number {
  let hash = start;
  for (let at = from; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  }
  return hash;
}

function finalized(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
