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
import { BLOCK_BYTES_MAX, LEAVES_IN_FLIGHT_MAX } from '../limits.ts';
import { buildDag } from './dag.ts';
import type { Pin } from './pins.ts';

export interface Keeper {
  readonly crypto: Crypto;
  readonly blocks: Blockstore;
  /** Holds every block from before it is put. */
  readonly pin: Pin;
  /** Leaves that are durable and pinned already. */
  readonly held?: ReadonlySet<Cid>;
  /** Told of each leaf of the body, in order, once it and those before it are durable. */
  readonly onLeaf?: (leaf: Cid) => Promise<void>;
}

/**
 * Keeps the blocks of a body, and those of the list of its nonces and tags, whose root it answers.
 * Memory is some 6 MiB whatever the size. Throws CIPHERTEXT_INVALID when the body is not the
 * manifest's.
 */
export async function keepBody(keeper: Keeper, manifest: Manifest, body: ByteSource): Promise<Cid> {
  await using tags = leafCutter(keeper, async () => undefined);
  await using leaves = leafCutter(keeper, keeper.onLeaf ?? (async () => undefined));
  async function* segments(): AsyncGenerator<Uint8Array> {
    for await (const segment of checkedBody(keeper.crypto, manifest, body)) {
      await tags.write(segmentTag(segment));
      yield segment;
    }
  }
  for await (const leaf of inPieces(segments(), BLOCK_BYTES_MAX)) await leaves.write(leaf);
  const root = await leaves.finish();
  if (root !== manifest.bodyCid) throw otherCid();
  return await tags.finish();
}

/** To be disposed of: no write goes on behind the end of whoever failed. */
interface LeafCutter extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  /** When everything is durable. */
  finish(): Promise<Cid>;
}

/**
 * Gathers bytes into leaves of 1 MiB and keeps them, and the nodes above them. Leaves are written while
 * the next ones come in, `LEAVES_IN_FLIGHT_MAX` at once: a disk takes longer to promise one than to
 * take four.
 */
function leafCutter(
  { crypto, blocks, pin, held }: Keeper,
  onLeaf: (leaf: Cid) => Promise<void>,
): LeafCutter {
  const keep = async (cid: Cid, block: Uint8Array) => {
    pin.add(cid);
    if (held?.has(cid) !== true) await blocks.put(cid, block);
  };
  const dag = buildDag(crypto, keep);
  /** Oldest first; each ends after the one before it. */
  const inFlight: Promise<void>[] = [];
  let leaf = new Uint8Array(0);
  let filled = 0;

  async function keepAfter(before: Promise<void> | undefined, cid: Cid, bytes: Uint8Array) {
    try {
      await keep(cid, bytes);
    } finally {
      await before;
    }
    await onLeaf(cid);
  }

  async function keepLeaf(bytes: Uint8Array): Promise<void> {
    const cid = cidOf(crypto, 'raw', bytes);
    const kept = keepAfter(inFlight.at(-1), cid, bytes);
    // Whoever waits for it hears of its failure; nobody may be waiting yet.
    kept.catch(ignore);
    inFlight.push(kept);
    if (inFlight.length === LEAVES_IN_FLIGHT_MAX) await inFlight.shift();
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
      await inFlight.at(-1);
      return await dag.finish();
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(inFlight);
    },
  };
}

function ignore(): void {}

function otherCid(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'the body is not the one that the owner signed', {
    hint: 'Send the body that was sealed with this manifest.',
    details: { why: 'cid' },
  });
}
