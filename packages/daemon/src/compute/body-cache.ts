/**
 * Bodies of sealed objects that this node has fetched: their blocks are kept as they came, encrypted,
 * and whoever reads the same object again fetches none of them.
 *
 * Invariants
 * B1  Every byte that is handed out was compared with the CID that the owner has signed, through the
 *     nodes above it, wherever it came from.
 * B2  Nothing is kept where the owner does not let copies lie.
 * B3  A body that is being read is not evicted, and a block of it that is fetched by two is fetched once.
 *
 * A kept block is no licence: keys come from the custodian, for each attempt anew (`sealed-reads.ts`).
 */
import { statfs } from 'node:fs/promises';
import type { OpenBody, ReadRequest, Vault } from '@helixmesh/client/biofs';
import { watched } from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import {
  type ByteSource,
  type Crypto,
  inPieces,
  type Manifest,
  type Range,
} from '@helixmesh/protocol/sealing';
import {
  BLOCK_BYTES_MAX,
  type BlockCache,
  type CacheStats,
  type Cid,
  cidOf,
  dagBlocks,
  mayLieIn,
  openBlockCache,
  parseCid,
  type ReplicaLeaf,
  replicaLeaves,
} from '@helixmesh/vault';
import { openFsBlockstore } from '@helixmesh/vault/node';
import { CACHE_RESERVE_BYTES } from './limits.ts';

export interface BodyCacheOptions {
  /** Its own; made when it is not there. */
  readonly folder: string;
  /** What the kept blocks may take of the disk. */
  readonly budgetBytes: number;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface BodyCache {
  /**
   * Reading one body in `zone`, until it is disposed of. Null where it may not be kept: it does not
   * fit beside those that are being read, or the owner does not let copies lie there.
   */
  reading(manifest: Manifest, zone: string): BodyReading | null;
  /** Lets go of what nobody reads until so many bytes of the disk are free, or nothing is left. */
  makeWay(freeBytes: number): Promise<void>;
  stats(): CacheStats;
}

export interface BodyReading extends Disposable {
  /** The vault as it is asked for what is not kept; it is opened when it is first needed. */
  through(vault: Vault): Vault;
}

export async function openBodyCache(options: BodyCacheOptions): Promise<BodyCache> {
  const { folder, budgetBytes, crypto, now } = options;
  const reserveBytes = CACHE_RESERVE_BYTES;
  const store = await openFsBlockstore({ folder, crypto, now, reserveBytes, isSynced: false });
  const cache = await openBlockCache({ crypto, store, budgetBytes });
  return {
    reading(manifest, zone) {
      const roomBytes = budgetBytes - cache.stats().leasedBytes;
      if (manifest.bodyBytes > roomBytes || !mayLieIn(manifest, zone)) return null;
      return readingOf({ crypto, cache, manifest });
    },
    async makeWay(freeBytes) {
      const { bavail, bsize } = await statfs(folder);
      const lackingBytes = freeBytes - bavail * bsize;
      if (lackingBytes > 0) await cache.shrink(lackingBytes);
    },
    stats: cache.stats,
  };
}

interface Body {
  readonly crypto: Crypto;
  readonly cache: BlockCache;
  readonly manifest: Manifest;
}

/** One vault, opened when it is needed and no sooner. */
type Opened = () => Promise<OpenBody>;

function readingOf(body: Body): BodyReading {
  let leaves: Promise<readonly ReplicaLeaf[]> | undefined;
  let lease: Disposable | undefined;
  let isOver = false;

  async function found(opened: Opened, signal: AbortSignal): Promise<readonly ReplicaLeaf[]> {
    const tree = await treeOf(body, opened, signal);
    if (!isOver) lease = body.cache.lease(tree.blocks);
    return tree.leaves;
  }

  /** Once for all vaults; where it failed the next one that is asked for it looks again. */
  function leavesOf(opened: Opened, signal: AbortSignal): Promise<readonly ReplicaLeaf[]> {
    if (leaves === undefined) {
      const finding = found(opened, signal);
      leaves = finding;
      finding.catch(() => {
        if (leaves === finding) leaves = undefined;
      });
    }
    return leaves;
  }

  return {
    through: (vault) => ({
      ...vault,
      open: async (request, signal) => cachedBody(body, leavesOf, { vault, request, signal }),
    }),
    [Symbol.dispose]() {
      isOver = true;
      lease?.[Symbol.dispose]();
    },
  };
}

interface Asked {
  readonly vault: Vault;
  readonly request: ReadRequest;
  readonly signal: AbortSignal;
}

function cachedBody(
  body: Body,
  leavesOf: (opened: Opened, signal: AbortSignal) => Promise<readonly ReplicaLeaf[]>,
  { vault, request, signal: whole }: Asked,
): OpenBody {
  let opening: Promise<OpenBody> | undefined;
  const opened = () => {
    opening ??= vault.open(request, whole);
    return opening;
  };
  return {
    async *read(range, signal) {
      const leaves = await leavesOf(opened, signal);
      const first = Math.floor(range.start / BLOCK_BYTES_MAX);
      const wanted = leaves.slice(first, Math.ceil(range.end / BLOCK_BYTES_MAX));
      const blocks = blocksOf(body, wanted, (run) => leavesFrom(opened, { run, signal }));
      for (const [i, { range: at }] of wanted.entries()) {
        const block = await (blocks[i] as Promise<Uint8Array>);
        yield block.subarray(Math.max(range.start - at.start, 0), range.end - at.start);
      }
    },
    tags: (signal) => passedOn(opened, (all) => all.tags(signal)),
    nodes: (signal) => passedOn(opened, (all) => all.nodes(signal)),
    close: async () => (await opening)?.close(),
  };
}

async function* passedOn(opened: Opened, of: (body: OpenBody) => ByteSource): ByteSource {
  yield* of(await opened());
}

interface Tree {
  readonly leaves: readonly ReplicaLeaf[];
  /** Leaves and nodes. */
  readonly blocks: readonly { readonly cid: Cid; readonly sizeBytes: number }[];
}

/** From kept nodes; where one is not kept, all of them are fetched. */
async function treeOf(body: Body, opened: Opened, signal: AbortSignal): Promise<Tree> {
  const { cache, manifest } = body;
  const root = { cid: parseCid(manifest.bodyCid), sizeBytes: manifest.bodyBytes };
  const leaves: ReplicaLeaf[] = [];
  const nodes: { cid: Cid; sizeBytes: number }[] = [];
  let fetched: ReadonlyMap<Cid, Uint8Array> | undefined;
  const get = async (cid: Cid) => {
    const node = await cache.get(cid, async () => {
      fetched ??= await nodesFrom(body, await opened(), signal);
      return fetched.get(cid) ?? new Uint8Array();
    });
    nodes.push({ cid, sizeBytes: node.length });
    return node;
  };
  for await (const { cid, range, isLeaf } of dagBlocks(get, root, wholeOf(manifest))) {
    if (isLeaf) leaves.push({ cid, range });
  }
  const sized = leaves.map(({ cid, range }) => ({ cid, sizeBytes: range.end - range.start }));
  return { leaves, blocks: [...nodes, ...sized] };
}

function wholeOf({ bodyBytes }: Manifest): Range {
  return { start: 0, end: bodyBytes };
}

/** Each compared with the CID that has named it, and nothing that comes behind the last one of them. */
async function nodesFrom(
  { crypto, manifest }: Body,
  opened: OpenBody,
  signal: AbortSignal,
): Promise<ReadonlyMap<Cid, Uint8Array>> {
  const nodes = new Map<Cid, Uint8Array>();
  async function* noted(): ByteSource {
    for await (const node of watched((both) => opened.nodes(both), signal)) {
      nodes.set(cidOf(crypto, 'dag-pb', node), node);
      yield node;
    }
  }
  const root = { cid: parseCid(manifest.bodyCid), sizeBytes: manifest.bodyBytes };
  await replicaLeaves(crypto, root, noted());
  return nodes;
}

/** The blocks of leaves, of which those that lie side by side and are nowhere yet are fetched at once. */
function blocksOf(
  { cache }: Body,
  leaves: readonly ReplicaLeaf[],
  fetch: (run: readonly ReplicaLeaf[]) => ByteSource,
): Promise<Uint8Array>[] {
  const blocks: Promise<Uint8Array>[] = [];
  while (blocks.length < leaves.length) {
    const rest = leaves.slice(blocks.length);
    const had = rest.findIndex(({ cid }) => cache.has(cid));
    const run = rest.slice(0, had === -1 ? rest.length : Math.max(had, 1));
    const fetched = handedOut(run.length, () => fetch(run));
    for (const [i, { cid }] of run.entries()) {
      const block = cache.get(cid, () => fetched(i));
      // Who reads is told of a failure when they come to this block.
      block.catch(ignore);
      blocks.push(block);
    }
  }
  return blocks;
}

/** As the vault sends them: the cache compares each one before it gives it to anybody. */
async function* leavesFrom(
  opened: Opened,
  { run, signal }: { readonly run: readonly ReplicaLeaf[]; readonly signal: AbortSignal },
): ByteSource {
  const start = run[0]?.range.start ?? 0;
  const bytes = (await opened()).read({ start, end: run.at(-1)?.range.end ?? start }, signal);
  yield* inPieces(bytes, BLOCK_BYTES_MAX);
}

/** The pieces of a source by their number, read in one go once one of them is asked for. */
function handedOut(count: number, source: () => ByteSource): (i: number) => Promise<Uint8Array> {
  const pieces = Array.from({ length: count }, () => Promise.withResolvers<Uint8Array>());
  for (const { promise } of pieces) promise.catch(ignore);
  let isBegun = false;

  async function begin(): Promise<void> {
    let given = 0;
    try {
      for await (const piece of source()) {
        pieces[given]?.resolve(piece);
        given += 1;
      }
      throw endedEarly();
    } catch (error) {
      // Those that have come have been handed out.
      for (const { reject } of pieces) reject(error);
    }
  }

  return (i) => {
    if (!isBegun) void begin();
    isBegun = true;
    return (pieces[i] as (typeof pieces)[number]).promise;
  };
}

function endedEarly(): AppError {
  return new AppError('PEER_UNREACHABLE', 'a vault has sent less than was asked for', {
    hint: 'Try again later, or fetch from another vault.',
  });
}

function ignore(): void {}
