import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { concatBytes } from '@helixmesh/protocol/sealing';
import { isAppError } from '@helixmesh/protocol/testing/bytes';
import * as fc from 'fast-check';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { all } from '../testing/bytes.ts';
import { buildDag, dagBlocks } from './dag.ts';

const MIB = BLOCK_BYTES_MAX;

/** The bytes that the vectors were made of. */
function patterned(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) bytes[i] = ((i * 31) >>> 3) % 251;
  return bytes;
}

async function dagOf(leaves: Iterable<readonly [Cid, number]>) {
  const nodes = new Map<Cid, Uint8Array>();
  const builder = buildDag(nodeCrypto, async (cid, block) => nodes.set(cid, block));
  for (const [cid, size] of leaves) await builder.append(cid, size);
  return { root: await builder.finish(), nodes };
}

function leavesOf(bytes: Uint8Array): (readonly [Cid, number])[] {
  const count = Math.ceil(bytes.length / MIB);
  return Array.from({ length: count }, (_, i) => {
    const leaf = bytes.subarray(i * MIB, (i + 1) * MIB);
    return [cidOf(nodeCrypto, 'raw', leaf), leaf.length] as const;
  });
}

test('roots are those of ipfs-unixfs-importer 17 with the profile unixfs-v1-2025', async () => {
  const known = [
    [0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    [1, 'bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu'],
    [MIB, 'bafkreiamfmy7s3xo6d3lkptgaadr5frxx36tnngmlhkgxptecowdnqrfuy'],
    [MIB + 1, 'bafybeibf3vcth7xmxdidxx7z3f22swwiq7axgze5rvfzkmxfqcoeiv7u4m'],
    [3 * MIB + 5, 'bafybeidcoqkhqlbpxrkx6eiqtddegb3yggxfe5mz7aujszkvsfemq6qfli'],
  ] as const;
  for (const [size, cid] of known) {
    assert.equal((await dagOf(leavesOf(patterned(size)))).root, cid, `${size} bytes`);
  }
  // Of zeros, so that the leaves are one: a full node, and one and two leaves more than it holds.
  const zeros = cidOf(nodeCrypto, 'raw', new Uint8Array(MIB));
  const zero = cidOf(nodeCrypto, 'raw', new Uint8Array(1));
  const full = Array<readonly [Cid, number]>(1_024).fill([zeros, MIB]);
  const roots = [
    [full, 'bafybeibqawkaltgjfdebq4no6nmfcvkcw7k52xqzclkwfmrkn6oxw7srmy'],
    [
      [...full, [zeros, MIB] as const],
      'bafybeigt7wofv4vnxbg3titijasuw4ptg5kfztec4smsk7opdt7z6djoxq',
    ],
    [
      [...full, [zeros, MIB] as const, [zero, 1] as const],
      'bafybeidifgl7inpxjc25u56bx6f2ojhdoov2qptq22jphzsqj4c7tvgy6a',
    ],
  ] as const;
  for (const [leaves, cid] of roots) {
    assert.equal((await dagOf(leaves)).root, cid, `${leaves.length} leaves`);
  }
});

test('a range needs its own leaves and the nodes above them, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_100 }),
      fc.integer({ min: 1, max: MIB }),
      fc.nat(),
      fc.nat(),
      async (count, lastBytes, a, b) => {
        const leaf = cidOf(nodeCrypto, 'raw', Uint8Array.of(1));
        const sizes = Array.from({ length: count }, (_, i) => (i + 1 < count ? MIB : lastBytes));
        const { root, nodes } = await dagOf(sizes.map((size) => [leaf, size] as const));
        const sizeBytes = (count - 1) * MIB + lastBytes;
        const start = a % sizeBytes;
        const end = start + 1 + (b % (sizeBytes - start));
        const at: number[] = [];
        const get = async (cid: Cid) => nodes.get(cid);
        const dag = { cid: root, sizeBytes };
        for await (const { range, isLeaf } of dagBlocks(get, dag, { start, end })) {
          if (isLeaf) at.push(range.start / MIB);
        }
        const first = Math.floor(start / MIB);
        const expected = Math.ceil(end / MIB) - first;
        assert.deepEqual(
          at,
          Array.from({ length: expected }, (_, i) => first + i),
        );
      },
    ),
    { numRuns: 6 },
  );
});

test('a node that is missing, changed or of another file is refused', async () => {
  const leaf = cidOf(nodeCrypto, 'raw', new Uint8Array(MIB));
  const { root, nodes } = await dagOf([
    [leaf, MIB],
    [leaf, 5],
  ]);
  const node = nodes.get(root) as Uint8Array;
  const read = async (block: Uint8Array | undefined, sizeBytes = MIB + 5) => {
    const blocks = dagBlocks(async () => block, { cid: root, sizeBytes }, { start: 0, end: 10 });
    return await all(blocks);
  };
  assert.equal((await read(node)).length, 2);
  const refused = isAppError('CIPHERTEXT_INVALID');
  await assert.rejects(read(undefined), refused);
  await assert.rejects(read(node, MIB + 4), refused);
  await assert.rejects(read(new Uint8Array(0)), refused);
  await assert.rejects(read(node.subarray(0, -1)), refused);
  await assert.rejects(read(concatBytes(node, Uint8Array.of(0))), refused);
  // Sizes may change so that the node stays one, and the file is another one.
  for (let at = 0; at < node.length; at += 1) {
    const changed = node.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    await read(changed).then(
      (blocks) => assert.deepEqual(blocks[0]?.cid, root),
      (error) => assert.ok(refused(error)),
    );
  }
});

test('nodes that lead to themselves come to an end', async () => {
  const leaf = cidOf(nodeCrypto, 'raw', new Uint8Array(MIB));
  const builder = await dagOf(Array<readonly [Cid, number]>(2).fill([leaf, MIB]));
  const child = await dagOf([
    [builder.root, MIB],
    [leaf, MIB],
  ]);
  const block = child.nodes.get(child.root);
  const blocks = dagBlocks(
    async () => block,
    { cid: child.root, sizeBytes: 2 * MIB },
    { start: 0, end: 1 },
  );
  await assert.rejects(all(blocks), isAppError('CIPHERTEXT_INVALID'));
});
