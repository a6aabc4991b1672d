/**
 * Scrubbing: every block is read and hashed; what is damaged goes into quarantine, and what an object
 * needs and is not there is fetched from a replica.
 *
 * Invariants
 * H1  A replica is not trusted: what it gives is hashed before it is kept.
 * H2  A whole block is never taken away: the store looks again before it puts one into quarantine.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Range } from '@helixmesh/protocol/sealing';
import type { Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import type { Catalogue, ObjectFacts } from '../objects/catalogue.ts';
import { dagBlocks } from '../objects/dag.ts';
import { rootsOf } from './collect.ts';

/** What a block is to the object that needs it. */
export interface BlockPlace {
  readonly object: ObjectFacts;
  /** Of the body, or of the list of nonces and tags. */
  readonly tree: 'body' | 'tags';
  /** Where its bytes lie in the body or the list; undefined for a node. */
  readonly range: Range | undefined;
}

/** The port to whoever may have a copy of a block. */
export interface Replica {
  /** Undefined where it has none or cannot be reached. Other bytes are noticed. */
  get(cid: Cid, place: BlockPlace): Promise<Uint8Array | undefined>;
}

export interface ScrubOptions {
  readonly catalogue: Catalogue;
  readonly blocks: Blockstore;
  /** Asked in turn. */
  readonly replicas: readonly Replica[];
}

export interface ScrubReport {
  readonly checkedBlocks: number;
  readonly checkedBytes: number;
  /** Put into quarantine. */
  readonly damaged: readonly Cid[];
  /** Needed by an object, absent or damaged before, and there now. */
  readonly repaired: readonly Cid[];
  /** Needed by an object, and nobody had it. What lies below a lost node is not known. */
  readonly lost: readonly Cid[];
  /** How many blocks each object lacks that lacks any. */
  readonly lacking: ReadonlyMap<Digest, number>;
}

export type RepairReport = Pick<ScrubReport, 'repaired' | 'lost' | 'lacking'>;

/** Reads everything once. Throws what the store throws when it fails as a whole. */
export async function scrub(options: ScrubOptions): Promise<ScrubReport> {
  const { blocks } = options;
  const damaged: Cid[] = [];
  let checkedBlocks = 0;
  let checkedBytes = 0;
  for await (const { cid, sizeBytes } of blocks.list()) {
    checkedBlocks += 1;
    checkedBytes += sizeBytes;
    if (await isDamaged(blocks, cid)) damaged.push(cid);
  }
  return { checkedBlocks, checkedBytes, damaged, ...(await repairMissing(options)) };
}

/** Fetches what objects need and is not there; nothing that is there is read but the nodes. */
export async function repairMissing(options: ScrubOptions): Promise<RepairReport> {
  const { catalogue, blocks, replicas } = options;
  const repaired = new Set<Cid>();
  const lost = new Set<Cid>();
  const lacking = new Map<Digest, number>();

  /** A block that an object needs: whether it is there, at the latest after a repair. */
  async function ensure(cid: Cid, place: BlockPlace): Promise<boolean> {
    if (await blocks.has(cid)) return true;
    // Who lacks it may differ from object to object: another one's replicas may have it.
    const isThere = await repair(blocks, replicas, { cid, place });
    if (isThere) {
      repaired.add(cid);
      lost.delete(cid);
      return true;
    }
    lost.add(cid);
    lacking.set(place.object.id, (lacking.get(place.object.id) ?? 0) + 1);
    return false;
  }

  for (const object of catalogue.list()) {
    for (const [at, root] of rootsOf(object).entries()) {
      const tree = at === 0 ? 'body' : 'tags';
      const node = { object, tree, range: undefined } as const;
      const get = async (cid: Cid) =>
        (await ensure(cid, node)) ? await blocks.get(cid) : undefined;
      try {
        const whole = { start: 0, end: root.sizeBytes };
        for await (const { cid, isLeaf, range } of dagBlocks(get, root, whole)) {
          // Deleted meanwhile: what is not there has been swept.
          if (catalogue.stat(object.id) === undefined) break;
          if (isLeaf) await ensure(cid, { object, tree, range });
        }
      } catch (error) {
        // A lost node: it is in the report, and the rest of its tree cannot be walked.
        if (AppError.from(error).code !== 'CIPHERTEXT_INVALID') throw error;
      }
    }
  }
  return { repaired: [...repaired], lost: [...lost], lacking };
}

/** Whether a block was damaged, and is in quarantine now. */
async function isDamaged(blocks: Blockstore, cid: Cid): Promise<boolean> {
  try {
    await blocks.get(cid);
    return false;
  } catch (error) {
    if (AppError.from(error).code !== 'CIPHERTEXT_INVALID') throw error;
    return await blocks.quarantine(cid);
  }
}

async function repair(
  blocks: Blockstore,
  replicas: readonly Replica[],
  { cid, place }: { readonly cid: Cid; readonly place: BlockPlace },
): Promise<boolean> {
  for (const replica of replicas) {
    try {
      const block = await replica.get(cid, place);
      if (block === undefined) continue;
      await blocks.put(cid, block);
      return true;
    } catch (error) {
      // Another replica may have it; a disk that is full is full for all of them.
      if (AppError.from(error).code === 'DISK_FULL') throw error;
    }
  }
  return false;
}
