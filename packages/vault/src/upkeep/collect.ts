/**
 * Garbage collection by reachability: what no object names is swept, once it has lain for a while.
 *
 * Invariants
 * S1  A block that an object names is never swept, whatever is put or deleted meanwhile: objects are
 *     read after pins are frozen (`objects/pins.ts`), and each pin is looked at in the same breath in
 *     which the deletion is asked for, so that a put that comes later stores its block anew (B3).
 * S2  Where not all that is reachable can be known (a record or a node is damaged), nothing is swept.
 * S3  What was put within the grace period stays, and all leaves of a body of which one was: its
 *     sender may come back.
 *
 * Memory is some 150 bytes for each reachable block: 150 MB for 1 TiB.
 */
import { AppError } from '@helixmesh/protocol';
import type { Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import type { Catalogue, ObjectFacts } from '../objects/catalogue.ts';
import { type DagRoot, dagBlocks } from '../objects/dag.ts';

export interface CollectOptions {
  readonly catalogue: Catalogue;
  readonly blocks: Blockstore;
  /** Milliseconds since 1970; the clock of the store. */
  readonly now: () => number;
  readonly graceMs: number;
}

export type CollectOutcome =
  | { readonly status: 'collected'; readonly blocks: number; readonly bytes: number }
  /** A record or a node is damaged or missing: scrub with a replica first. */
  | { readonly status: 'refused'; readonly reason: 'damaged_record' | 'damaged_node' };

/** Sweeps what nothing names. Throws what the store throws. */
export async function collectGarbage(options: CollectOptions): Promise<CollectOutcome> {
  const { catalogue, blocks, now, graceMs } = options;
  return await catalogue.pins.whileCollecting(async () => {
    const putBeforeMs = now() - graceMs;
    if (catalogue.damaged.length > 0) return { status: 'refused', reason: 'damaged_record' };
    const marked = await mark(blocks, catalogue.list());
    if (marked === undefined) return { status: 'refused', reason: 'damaged_node' };
    for await (const leaf of catalogue.partialLeaves(putBeforeMs)) marked.add(leaf);
    let sweptBlocks = 0;
    let sweptBytes = 0;
    for await (const { cid, sizeBytes, putAtMs } of blocks.list()) {
      if (marked.has(cid) || putAtMs > putBeforeMs || catalogue.pins.isPinned(cid)) continue;
      // No await between the look at the pin and the call (S1).
      if (!(await blocks.delete(cid))) continue;
      sweptBlocks += 1;
      sweptBytes += sizeBytes;
    }
    await catalogue.sweepPartials(putBeforeMs);
    return { status: 'collected', blocks: sweptBlocks, bytes: sweptBytes };
  });
}

/** The trees that an object is made of. */
export function rootsOf(facts: ObjectFacts): readonly DagRoot[] {
  return [
    { cid: facts.bodyCid, sizeBytes: facts.bodyBytes },
    { cid: facts.tagsCid, sizeBytes: facts.tagsBytes },
  ];
}

/** All that the objects need; undefined where a node cannot be read. */
async function mark(
  blocks: Blockstore,
  objects: readonly ObjectFacts[],
): Promise<Set<Cid> | undefined> {
  const marked = new Set<Cid>();
  try {
    for (const root of objects.flatMap(rootsOf)) {
      const whole = { start: 0, end: root.sizeBytes };
      for await (const { cid } of dagBlocks((id) => blocks.get(id), root, whole)) marked.add(cid);
    }
  } catch (error) {
    if (AppError.from(error).code !== 'CIPHERTEXT_INVALID') throw error;
    return undefined;
  }
  return marked;
}
