/**
 * The Blockstore in a folder of the file system, which one process has to itself.
 *
 *   blocks/<last two characters>/<cid>   a block; its time of change is when it was put last
 *   incoming/<number>                    what is being written; emptied when the store is opened
 *   quarantine/<cid>                     damaged blocks
 *
 * A block gets its name by a rename after it was made durable, so a crash leaves it whole or absent.
 * The last two characters spread evenly over 256 folders; the first ones are the same in all CIDs.
 */
import { lstat, readdir, rename, rm, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';
import {
  assertBlock,
  type BlockFacts,
  type Blockstore,
  damagedBlock,
  sliceOf,
} from '../blocks/blockstore.ts';
import { type Cid, isBlockOf, parseCid } from '../blocks/cid.ts';
import { keyedQueue } from '../blocks/keyed-queue.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import {
  emptyFolder,
  isMissing,
  makeFolder,
  readWhole,
  syncFolder,
  writeDurably,
} from './durable-file.ts';

export interface FsBlockstoreOptions {
  /** Made where it is not there. */
  readonly folder: string;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Room that blocks leave to everything else, bytes, of a small disk half of it; default: none. */
  readonly reserveBytes?: number;
  /**
   * Whether what was put survives loss of power (B2); default: it does. A cache does without: half a
   * block is found out when it is read.
   */
  readonly isSynced?: boolean;
}

/** Opens a folder of blocks. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
export async function openFsBlockstore(options: FsBlockstoreOptions): Promise<Blockstore> {
  const { folder, crypto, now, reserveBytes = 0, isSynced = true } = options;
  const blocks = join(folder, 'blocks');
  const incoming = join(folder, 'incoming');
  const quarantine = join(folder, 'quarantine');
  for (const each of [folder, blocks, incoming, quarantine]) await makeFolder(each);
  await emptyFolder(incoming);
  const queue = keyedQueue();
  let written = 0;

  const shardOf = (cid: Cid) => join(blocks, parseCid(cid).slice(-2));
  const pathOf = (cid: Cid) => join(shardOf(cid), cid);

  async function get(cid: Cid): Promise<Uint8Array | undefined> {
    const block = await readWhole(pathOf(cid), BLOCK_BYTES_MAX);
    if (block !== undefined && !isBlockOf(crypto, cid, block)) throw damagedBlock();
    return block;
  }

  async function isWhole(cid: Cid): Promise<boolean> {
    const block = await readWhole(pathOf(cid), BLOCK_BYTES_MAX);
    return block !== undefined && isBlockOf(crypto, cid, block);
  }

  async function keep(cid: Cid, block: Uint8Array): Promise<'stored' | 'known'> {
    const atMs = now();
    if (await isWhole(cid)) {
      await utimes(pathOf(cid), atMs / 1000, atMs / 1000);
      // Whoever renamed it may have died before its name was durable.
      if (isSynced) await syncFolder(shardOf(cid));
      return 'known';
    }
    await assertRoom(folder, block.length, reserveBytes);
    await makeFolder(shardOf(cid));
    written += 1;
    await writeDurably({
      path: pathOf(cid),
      aside: join(incoming, `${written}`),
      bytes: block,
      atMs,
      isSynced,
    });
    return 'stored';
  }

  return {
    async put(cid, block) {
      assertBlock(crypto, cid, block);
      return await queue(cid, () => keep(cid, block));
    },
    get,
    async read(cid, range) {
      const block = await get(cid);
      return block && sliceOf(block, range);
    },
    async has(cid) {
      return (await factsAt(pathOf(cid), cid)) !== undefined;
    },
    async delete(cid) {
      return await queue(cid, () => unlessMissing(rm(pathOf(cid))));
    },
    async quarantine(cid) {
      return await queue(cid, async () => {
        if (await isWhole(cid)) return false;
        return await unlessMissing(rename(pathOf(cid), join(quarantine, cid)));
      });
    },
    async *list() {
      for (const shard of await readdir(blocks)) {
        for (const name of await namesIn(join(blocks, shard))) {
          const cid = cidNamed(name);
          if (cid === undefined || shardOf(cid) !== join(blocks, shard)) continue;
          const facts = await factsAt(pathOf(cid), cid);
          if (facts !== undefined) yield facts;
        }
      }
    },
  };
}

/** Throws DISK_FULL where the bytes would take of the reserve. */
async function assertRoom(folder: string, bytes: number, reserveBytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder);
  if (bavail * bsize - bytes >= Math.min(reserveBytes, (blocks * bsize) / 2)) return;
  throw new AppError('DISK_FULL', 'the disk has no room for another block', {
    hint: 'Free disk space; what was kept stays.',
  });
}

async function factsAt(path: string, cid: Cid): Promise<BlockFacts | undefined> {
  try {
    const facts = await lstat(path);
    if (!facts.isFile()) return undefined;
    return { cid, sizeBytes: facts.size, putAtMs: Math.round(facts.mtimeMs) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw AppError.from(error);
  }
}

/** False when there was nothing to do it to. */
async function unlessMissing(done: Promise<void>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw AppError.from(error);
  }
}

/** Nothing for what is no folder: the operator may have put a file there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw AppError.from(error);
  }
}

function cidNamed(name: string): Cid | undefined {
  try {
    return parseCid(name);
  } catch {
    // Not a file of ours.
    return undefined;
  }
}
