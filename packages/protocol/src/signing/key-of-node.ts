/** The Ed25519 public key that a node id is. */
import { fromHex } from '../bytes.ts';
import type { NodeId } from '../ids.ts';
import { nodeKeyOf } from '../network/address.ts';

const KEY_BYTES = 32;

/** 32 bytes. Throws INPUT_MALFORMED for text that is no node id. */
export function keyOfNode(nodeId: NodeId): Uint8Array {
  return fromHex(nodeKeyOf(nodeId), { what: 'the key in a node id', bytes: KEY_BYTES });
}
