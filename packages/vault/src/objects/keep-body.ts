/** Cuts a body that comes in into blocks, and checks it against its manifest on the way. */
import { AppError } from '@helixmesh/protocol';
import {
  type ByteSource,
  type Crypto,
  checkedBody,
  inPieces,
  type Manifest,
  segmentTag,
} from '@helixmesh/protocol/sealing';
import type { Blockstore } from '../blocks/blockstore.ts';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { buildDag } from './dag.ts';
import type { Pin } from './pins.ts';

export interface Keeper {
  readonly crypto: Crypto;
  readonly blocks: Blockstore;
  /** Holds every block from before it is put. */
  readonly pin: Pin;
  /** Leaves that are durable and pinned already. */
  readonly held?: ReadonlySet<Cid>;
  /** Told of each leaf of the body, in order, once it is durable. */
  readonly onLeaf?: (leaf: Cid) => Promise<void>;
}

/**
 * Keeps the blocks of a body, and those of the list of its nonces and tags, whose root it answers.
 * Memory is some 3 MiB whatever the size. Throws CIPHERTEXT_INVALID when the body is not the
 * manifest's.
 */
export async function keepBody(keeper: Keeper, manifest: Manifest, body: ByteSource): Promise<Cid> {
  const tags = leafCutter(keeper, async () => undefined);
  async function* segments(): AsyncGenerator<Uint8Array> {
    for await (const segment of checkedBody(keeper.crypto, manifest, body)) {
      await tags.write(segmentTag(segment));
      yield segment;
    }
  }
  const leaves = leafCutter(keeper, keeper.onLeaf ?? (async () => undefined));
  for await (const leaf of inPieces(segments(), BLOCK_BYTES_MAX)) await leaves.write(leaf);
  const root = await leaves.finish();
  if (root !== manifest.bodyCid) throw otherCid();
  return await tags.finish();
}

interface LeafCutter {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<Cid>;
}

/** Gathers bytes into leaves of 1 MiB and keeps them, and the nodes above them. */
function leafCutter(
  { crypto, blocks, pin, held }: Keeper,
  onLeaf: (leaf: Cid) => Promise<void>,
): LeafCutter {
  const keep = async (cid: Cid, block: Uint8Array) => {
    pin.add(cid);
    if (held?.has(cid) !== true) await blocks.put(cid, block);
  };
  const dag = buildDag(crypto, keep);
  let leaf = new Uint8Array(0);
  let filled = 0;

  async function keepLeaf(bytes: Uint8Array): Promise<void> {
    const cid = cidOf(crypto, 'raw', bytes);
    await keep(cid, bytes);
    await onLeaf(cid);
    await dag.append(cid, bytes.length);
  }

  return {
    async write(bytes) {
      if (filled === 0 && bytes.length === BLOCK_BYTES_MAX) return await keepLeaf(bytes);
      for (let at = 0; at < bytes.length; ) {
        if (leaf.length === 0) leaf = new Uint8Array(BLOCK_BYTES_MAX);
        const part = bytes.subarray(at, at + BLOCK_BYTES_MAX - filled);
        leaf.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < BLOCK_BYTES_MAX) continue;
        await keepLeaf(leaf);
        leaf = new Uint8Array(0);
        filled = 0;
      }
    },
    async finish() {
      if (filled > 0) await keepLeaf(leaf.subarray(0, filled));
      return await dag.finish();
    },
  };
}

function otherCid(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the body is not the one that the owner signed', {
    hint: 'Send the body that was sealed with this manifest.',
    details: { why: 'cid' },
  });
}
