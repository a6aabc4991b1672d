/** An object of a vault that is being read. What is handed out is what was put, or an error. */
import { AppError, type Digest } from '@helixmesh/protocol';
import type { ByteSource, Manifest, Range, Signed } from '@helixmesh/protocol/sealing';
import type { Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import { type DagRoot, dagBlocks, missingBlock } from './dag.ts';

export interface SealedObject {
  readonly id: Digest;
  readonly signed: Signed<Manifest>;
  /**
   * Bytes of the body, in pieces of at most 1 MiB; only the leaves that hold any of them are read,
   * each verified. Throws USAGE for a range that is not within the body, CIPHERTEXT_INVALID where a
   * block is missing or damaged.
   */
  read(range: Range): ByteSource;
  /** Nonce and tag of every segment, 28 bytes each (`verifyTags` checks them). */
  tags(): ByteSource;
  /** The nodes above the leaves of the body, a piece for each; every one after the one naming it. */
  nodes(): ByteSource;
}

export interface ObjectRoots {
  readonly id: Digest;
  readonly bodyCid: Cid;
  readonly bodyBytes: number;
  readonly tagsCid: Cid;
  readonly tagsBytes: number;
}

export function makeSealedObject(
  blocks: Pick<Blockstore, 'get' | 'read'>,
  { id, bodyCid, bodyBytes, tagsCid, tagsBytes }: ObjectRoots,
  signed: Signed<Manifest>,
): SealedObject {
  const body = { cid: bodyCid, sizeBytes: bodyBytes };
  const tags = { cid: tagsCid, sizeBytes: tagsBytes };
  return {
    id,
    signed,
    read(range) {
      const { start, end } = range;
      const isWithin = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0;
      if (!isWithin || end < start || end > bodyBytes) throw notWithin(bodyBytes);
      return readDag(blocks, body, range);
    },
    tags: () => readDag(blocks, tags, { start: 0, end: tagsBytes }),
    nodes: () => nodesOf(blocks, body),
  };
}

async function* readDag(
  blocks: Pick<Blockstore, 'get' | 'read'>,
  root: DagRoot,
  { start, end }: Range,
): AsyncGenerator<Uint8Array> {
  if (start === end) return;
  const get = (cid: Cid) => blocks.get(cid);
  for await (const { cid, range, isLeaf } of dagBlocks(get, root, { start, end })) {
    if (!isLeaf) continue;
    const from = Math.max(start, range.start) - range.start;
    const to = Math.min(end, range.end) - range.start;
    const bytes = await blocks.read(cid, { start: from, end: to });
    if (bytes?.length !== to - from) throw missingBlock();
    yield bytes;
  }
}

async function* nodesOf(
  blocks: Pick<Blockstore, 'get'>,
  root: DagRoot,
): AsyncGenerator<Uint8Array> {
  const whole = { start: 0, end: root.sizeBytes };
  const read: Uint8Array[] = [];
  const get = async (cid: Cid) => {
    const block = await blocks.get(cid);
    if (block !== undefined) read.push(block);
    return block;
  };
  for await (const _ of dagBlocks(get, root, whole)) yield* read.splice(0);
}

function notWithin(bodyBytes: number): AppError {
  return new AppError('USAGE', `a range is not within a body of ${bodyBytes} bytes`, {
    hint: 'Ask for bytes within the body, the start not behind the end.',
  });
}
