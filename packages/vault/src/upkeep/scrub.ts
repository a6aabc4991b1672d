/**
 * Scrubbing: every block is read and hashed; what is damaged goes into quarantine, and what an object
 * needs and is not there is fetched from a replica.
 *
 * Invariants
 * H1  A replica is not trusted: what it gives is hashed before it is kept.
 * H2  A whole block is never taken away: the store looks again before it puts one into quarantine.
 */
import { AppError } from '@helixmesh/protocol';
import type { Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import type { Catalogue } from '../objects/catalogue.ts';
import { dagBlocks } from '../objects/dag.ts';
import { rootsOf } from './collect.ts';

/** The port to whoever may have a copy of a block. */
export interface Replica {
  /** Undefined where it has none or cannot be reached. Other bytes are noticed. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
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
}

/** Reads everything once. Throws what the store throws when it fails as a whole. */
export async function scrub(options: ScrubOptions): Promise<ScrubReport> {
  const { catalogue, blocks, replicas } = options;
  const damaged: Cid[] = [];
  let checkedBlocks = 0;
  let checkedBytes = 0;
  for await (const { cid, sizeBytes } of blocks.list()) {
    checkedBlocks += 1;
    checkedBytes += sizeBytes;
    if (await isDamaged(blocks, cid)) damaged.push(cid);
  }
  const repaired = new Set<Cid>();
  const lost = new Set<Cid>();

  /** A block that an object needs: whether it is there, at the latest after a repair. */
  async function ensure(cid: Cid): Promise<boolean> {
    if (await blocks.has(cid)) return true;
    if (lost.has(cid)) return false;
    const isThere = await repair(blocks, replicas, cid);
    (isThere ? repaired : lost).add(cid);
    return isThere;
  }

  for (const facts of catalogue.list()) {
    for (const root of rootsOf(facts)) {
      const get = async (cid: Cid) => ((await ensure(cid)) ? await blocks.get(cid) : undefined);
      try {
        const whole = { start: 0, end: root.sizeBytes };
        for await (const { cid, isLeaf } of dagBlocks(get, root, whole)) {
          // Deleted meanwhile: what is not there has been swept.
          if (catalogue.stat(facts.id) === undefined) break;
          if (isLeaf) await ensure(cid);
        }
      } catch (error) {
        // A lost node: it is in the report, and the rest of its tree cannot be walked.
        if (AppError.from(error).code !== 'CIPHERTEXT_INVALID') throw error;
      }
    }
  }
  return { checkedBlocks, checkedBytes, damaged, repaired: [...repaired], lost: [...lost] };
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
  cid: Cid,
): Promise<boolean> {
  for (const replica of replicas) {
    try {
      const block = await replica.get(cid);
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
