/**
 * The port under a vault: blocks of at most 1 MiB, each under the CID of its content.
 *
 * Invariants
 * B1  Under a CID lies its block or nothing: what comes is hashed before it is kept, what is kept is
 *     hashed before it is handed out, and half a block is never seen.
 * B2  What `put` has answered survives the death of whoever asked; where the store is a disk, loss of power.
 * B3  `put`, `delete` and `quarantine` of one block take effect in the order in which they were
 *     called. Collection relies on it.
 * B4  Putting a block again renews its time, and heals it where it was damaged.
 *
 * Every adapter passes `testing/blockstore-compliance.ts`. A store has one user at a time.
 */
import { AppError } from '@helixmesh/protocol';
import type { Crypto, Range } from '@helixmesh/protocol/sealing';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { type Cid, isBlockOf, parseCid } from './cid.ts';

export interface BlockFacts {
  readonly cid: Cid;
  readonly sizeBytes: number;
  /** When it was put last, ms since 1970. */
  readonly putAtMs: number;
}

export interface Blockstore {
  /**
   * Keeps a block; again is the same as once. Throws CIPHERTEXT_INVALID when it is not the one that
   * `cid` names, USAGE when it is too large, DISK_FULL when there is no room.
   */
  put(cid: Cid, block: Uint8Array): Promise<'stored' | 'known'>;
  /** The whole block; undefined when there is none. Throws CIPHERTEXT_INVALID when it is damaged. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /** Bytes `range` of the block, cut at its end; the whole of it is verified, as `get` does. */
  read(cid: Cid, range: Range): Promise<Uint8Array | undefined>;
  /** Whether there is a block, damaged or not. */
  has(cid: Cid): Promise<boolean>;
  /** Whether there was one. */
  delete(cid: Cid): Promise<boolean>;
  /** Takes a damaged block out of sight; a whole one stays. Whether there was a damaged one. */
  quarantine(cid: Cid): Promise<boolean>;
  /** Every block, in any order, without reading them; blocks that come or go meanwhile may be named. */
  list(): AsyncIterable<BlockFacts>;
}

/** Throws unless `block` may be put under `cid`, a CID (USAGE, CIPHERTEXT_INVALID, INPUT_MALFORMED). */
export function assertBlock(crypto: Crypto, cid: Cid, block: Uint8Array): void {
  parseCid(cid);
  if (block.length > BLOCK_BYTES_MAX) {
    throw new AppError('USAGE', `a block of ${block.length} bytes, at most ${BLOCK_BYTES_MAX}`, {
      hint: `Cut the data into blocks of ${BLOCK_BYTES_MAX} bytes.`,
    });
  }
  if (isBlockOf(crypto, cid, block)) return;
  throw new AppError('CIPHERTEXT_INVALID', 'a block is not the one that its identifier names', {
    hint: 'Send it again; if it came from another vault, report that one to its operator.',
  });
}

/** What a reader is told of a block that is there and is not what it was. */
export function damagedBlock(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a block of this vault is damaged', {
    hint: 'Read from another vault; the operator repairs this one by a scrub.',
    details: { why: 'damaged' },
  });
}

/** Bytes `range` of a block, cut at its end. Throws USAGE for a range that is none. */
export function sliceOf(block: Uint8Array, { start, end }: Range): Uint8Array {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new AppError('USAGE', 'a range is not valid', {
      hint: 'Give whole numbers of bytes, the start not behind the end.',
    });
  }
  return block.subarray(start, end);
}
