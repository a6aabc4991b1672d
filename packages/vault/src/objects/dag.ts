/**
 * The tree of blocks whose root is the CID of a body: UnixFS over dag-pb, profile `unixfs-v1-2025`:
 * raw leaves of 1 MiB, at most 1,024 links in a node, all leaves at one depth, a single leaf as its
 * own root. <https://specs.ipfs.tech/unixfs/>
 *
 *   node = { link* , data }            PBNode:  2: link, 1: data; links come first
 *   link = CID, '', bytes below it     PBLink:  1: hash, 2: name, 3: tsize
 *   data = file, size, size of each    UnixFS:  1: type, 3: filesize, 4: blocksizes
 *
 * Invariants
 * G1  A node has one spelling: what is not the encoding of what it says is refused.
 */
import { AppError } from '@helixmesh/protocol';
import { type Crypto, joinBytes, type Range } from '@helixmesh/protocol/sealing';
import { damagedBlock } from '../blocks/blockstore.ts';
import { CID_BYTES, type Cid, cidBytes, cidFromBytes, cidOf, codecOf } from '../blocks/cid.ts';
import { DAG_DEPTH_MAX, NODE_LINKS_MAX } from '../limits.ts';

/** Something below a node: a leaf, or another node. */
interface Link {
  readonly cid: Cid;
  /** Bytes of the file that are below it. */
  readonly fileBytes: number;
  /** Bytes of all blocks below it, itself included. */
  readonly treeBytes: number;
}

export interface DagBuilder {
  /** The next leaf, which has been given to `keep` by who calls. */
  append(cid: Cid, sizeBytes: number): Promise<void>;
  /** The root of what came; a file of no bytes is one empty leaf. */
  finish(): Promise<Cid>;
}

/** Builds the tree while leaves go by; each node goes to `keep`. Memory is 1,024 links a level. */
export function buildDag(
  crypto: Crypto,
  keep: (cid: Cid, block: Uint8Array) => Promise<unknown>,
): DagBuilder {
  const levels: Link[][] = [[]];
  let leaves = 0;

  async function push(level: number, link: Link): Promise<void> {
    const links = levels[level] ?? [];
    levels[level] = links;
    links.push(link);
    if (links.length === NODE_LINKS_MAX) await close(level);
  }

  async function close(level: number): Promise<void> {
    const links = levels[level] ?? [];
    levels[level] = [];
    const block = encodeNode(links);
    const cid = cidOf(crypto, 'dag-pb', block);
    await keep(cid, block);
    const sum = (of: (link: Link) => number) => links.reduce((all, link) => all + of(link), 0);
    const fileBytes = sum((link) => link.fileBytes);
    const treeBytes = block.length + sum((link) => link.treeBytes);
    await push(level + 1, { cid, fileBytes, treeBytes });
  }

  return {
    async append(cid, sizeBytes) {
      leaves += 1;
      await push(0, { cid, fileBytes: sizeBytes, treeBytes: sizeBytes });
    },
    async finish() {
      if (leaves === 0) {
        const empty = new Uint8Array(0);
        const cid = cidOf(crypto, 'raw', empty);
        await keep(cid, empty);
        return cid;
      }
      for (let level = 0; ; level += 1) {
        const links = levels[level] ?? [];
        const isTop = level === levels.length - 1 && links.length === 1;
        if (isTop && (level > 0 || leaves === 1)) return (links[0] as Link).cid;
        if (links.length > 0) await close(level);
      }
    },
  };
}

/** A block of a tree: where the bytes below it lie in the file, and whether it is a leaf. */
export interface DagBlock {
  readonly cid: Cid;
  readonly range: Range;
  readonly isLeaf: boolean;
}

export interface DagRoot {
  readonly cid: Cid;
  /** Size of the file. */
  readonly sizeBytes: number;
}

/**
 * The blocks that hold any of the bytes `range`, each node before what is below it; of leaves the
 * names alone are needed. `get` gives a node's block; throws CIPHERTEXT_INVALID where there is none,
 * or not the tree of a file of that size.
 */
export async function* dagBlocks(
  get: (cid: Cid) => Promise<Uint8Array | undefined>,
  root: DagRoot,
  range: Range,
): AsyncGenerator<DagBlock> {
  const top = { cid: root.cid, range: { start: 0, end: root.sizeBytes } };
  yield* blocksBelow(get, top, range, DAG_DEPTH_MAX);
}

async function* blocksBelow(
  get: (cid: Cid) => Promise<Uint8Array | undefined>,
  { cid, range: here }: Omit<DagBlock, 'isLeaf'>,
  wanted: Range,
  depth: number,
): AsyncGenerator<DagBlock> {
  const isLeaf = codecOf(cid) === 'raw';
  yield { cid, range: here, isLeaf };
  if (isLeaf) return;
  const block = await get(cid);
  if (block === undefined) throw missingBlock();
  const links = decodeNode(block);
  let at = here.start;
  for (const link of links ?? []) {
    const range = { start: at, end: at + link.fileBytes };
    at = range.end;
    if (range.end <= wanted.start || range.start >= wanted.end) continue;
    if (depth === 0) throw damagedBlock();
    yield* blocksBelow(get, { cid: link.cid, range }, wanted, depth - 1);
  }
  if (links === undefined || at !== here.end) throw damagedBlock();
}

/** What a reader is told of a block that an object needs and that is not there. */
export function missingBlock(): AppError {
  return new AppError('CIPHERTEXT_INVALID', 'a block of this vault is missing', {
    hint: 'Read from another vault; the operator repairs this one by a scrub.',
    details: { why: 'missing' },
  });
}

const encoder = { link: 0x12, data: 0x0a, hash: 0x0a, name: 0x12, tsize: 0x18 } as const;
/** UnixFS: type 2 is a file. */
const FILE_TYPE = [0x08, 0x02] as const;
const FILE_SIZE = 0x18;
const BLOCK_SIZE = 0x20;

function encodeNode(links: readonly Link[]): Uint8Array {
  const fileBytes = links.reduce((sum, link) => sum + link.fileBytes, 0);
  const data = [...FILE_TYPE, FILE_SIZE, ...varint(fileBytes)];
  for (const link of links) data.push(BLOCK_SIZE, ...varint(link.fileBytes));
  const encoded = links.map(({ cid, treeBytes }) => {
    const head = [encoder.hash, CID_BYTES, ...cidBytes(cid), encoder.name, 0];
    const link = [...head, encoder.tsize, ...varint(treeBytes)];
    return Uint8Array.of(encoder.link, ...varint(link.length), ...link);
  });
  return joinBytes([...encoded, Uint8Array.of(encoder.data, ...varint(data.length), ...data)]);
}

/** Undefined for bytes that `encodeNode` does not make. */
function decodeNode(block: Uint8Array): Link[] | undefined {
  const reader = readerOf(block);
  const cids: { cid: Cid; treeBytes: number }[] = [];
  while (reader.peek() === encoder.link && cids.length < NODE_LINKS_MAX) {
    reader.skip(1);
    reader.varint();
    reader.skip(2);
    const cid = cidFromBytes(reader.take(CID_BYTES));
    reader.skip(3);
    const treeBytes = reader.varint();
    if (cid === undefined) return undefined;
    cids.push({ cid, treeBytes });
  }
  reader.skip(1);
  reader.varint();
  reader.skip(FILE_TYPE.length + 1);
  reader.varint();
  const links = cids.map(({ cid, treeBytes }) => {
    reader.skip(1);
    return { cid, treeBytes, fileBytes: reader.varint() };
  });
  // The tags that were passed over are compared here, with everything else (G1).
  const again = encodeNode(links);
  const isSame = again.length === block.length && again.every((byte, i) => byte === block[i]);
  return isSame ? links : undefined;
}

/** Reads on behind the end of the bytes give zeros: the comparison in `decodeNode` refuses them. */
function readerOf(bytes: Uint8Array) {
  let at = 0;
  return {
    peek: () => bytes[at],
    skip(count: number) {
      at += count;
    },
    take(count: number) {
      at += count;
      return bytes.subarray(at - count, at);
    },
    varint() {
      let value = 0;
      let scale = 1;
      for (let i = 0; i < VARINT_BYTES_MAX; i += 1) {
        const byte = bytes[at] ?? 0;
        at += 1;
        value += (byte & 0x7f) * scale;
        scale *= 128;
        if (byte < 0x80) break;
      }
      return value;
    },
  };
}

/** Seven bits a byte: 2^49, far more than an object has. */
const VARINT_BYTES_MAX = 7;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
