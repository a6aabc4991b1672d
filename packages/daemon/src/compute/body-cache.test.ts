/** Sealed bodies of a vault that were fetched once: over TLS, with every byte that the vault sends counted. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  bionfsVault,
  openComparedObject,
  readObject,
  segmentKeys,
  type Vault,
} from '@helixmesh/client/biofs';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto as crypto } from '@helixmesh/protocol/node';
import { joinBytes, type Manifest } from '@helixmesh/protocol/sealing';
import { flipped } from '@helixmesh/protocol/testing/bytes';
import { channelOf, collect, testAccount } from '../network/testing/test-node.ts';
import { bodyCid, putBody, startVault } from '../testing/running-vault.ts';
import { sealedDataset } from '../testing/sealed-dataset.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { type BodyCache, type BodyReading, openBodyCache } from './body-cache.ts';

const MIB = 2 ** 20;
const root = temporaryFolder('body-cache');
const signal = new AbortController().signal;

interface CacheOptions {
  readonly folder?: string;
  readonly budgetBytes?: number;
}

function openCache({ folder, budgetBytes = 64 * MIB }: CacheOptions = {}): Promise<BodyCache> {
  const own = folder ?? mkdtempSync(join(root, 'cache-'));
  return openBodyCache({ folder: own, budgetBytes, crypto, now: Date.now });
}

/** Somebody's object of so many bytes in a vault, and what that vault sends. */
async function storedObject(t: TestContext, bytes: number, changes: Partial<Manifest> = {}) {
  const sent = { body: 0, tags: 0, nodes: 0 };
  const onSent = (part: keyof typeof sent, more: number) => {
    sent[part] += more;
  };
  const { address, storage } = await startVault(t, root, { onSent });
  const owner = await testAccount();
  const plaintext = crypto.random(bytes);
  const given = { plaintext, cidOf: bodyCid, changes };
  const dataset = await sealedDataset(owner.wallet, crypto.random(32), given);
  await putBody(t, { vault: address, owner }, dataset);
  const vault = bionfsVault({ name: 'vault', bionfs: channelOf(t, address, owner).bionfs });
  const manifest = dataset.manifest.document;
  const read = (reading: BodyReading, vaults: readonly Vault[] = [vault]) => {
    const reader = openComparedObject({
      ...{ crypto, manifest, signal },
      keyOf: segmentKeys(manifest, { dataKeys: dataset.keys }, null),
      vaults: vaults.map(reading.through),
      request: {
        objectId: dataset.id,
        purpose: { pipeline: 'germline', isCommercial: false, zone: 'MX' },
        ...{ ranges: [], grants: [], grantSegments: [] },
      },
    });
    return collect(readObject(reader, [{ start: 0, end: bytes }], 2))
      .then((parts) => Buffer.from(joinBytes([...parts])))
      .finally(reader.close);
  };
  const readWith = async (cache: BodyCache, vaults?: readonly Vault[]) => {
    using reading = cache.reading(manifest, 'MX') ?? assert.fail('it is not kept');
    return await read(reading, vaults);
  };
  return { sent, storage, vault, manifest, plaintext, read, readWith };
}

test('who reads an object again moves no byte of it, after a restart and without the vault too', async (t) => {
  const object = await storedObject(t, 9 * MIB + 12_345);
  const folder = mkdtempSync(join(root, 'cache-'));
  const cache = await openCache({ folder });
  assert.ok((await object.readWith(cache)).equals(object.plaintext));
  const once = { body: object.manifest.bodyBytes, tags: 0 };
  const { nodes } = object.sent;
  assert.deepEqual(object.sent, { ...once, nodes }, 'each byte once, and no list of segments');
  assert.ok(nodes > 0 && nodes < 1_000);
  assert.ok((await object.readWith(cache)).equals(object.plaintext));
  const again = await openCache({ folder });
  assert.ok((await object.readWith(again)).equals(object.plaintext));
  assert.deepEqual(object.sent, { ...once, nodes });
  assert.equal(again.stats().fetchedBytes, 0);
  await object.storage.stop();
  assert.ok((await object.readWith(again)).equals(object.plaintext));
});

test('two who read an object at once fetch each block of it once', async (t) => {
  const object = await storedObject(t, 6 * MIB);
  const cache = await openCache();
  const [one, two] = await Promise.all([object.readWith(cache), object.readWith(cache)]);
  assert.ok(one.equals(object.plaintext) && two.equals(object.plaintext));
  assert.equal(object.sent.body, object.manifest.bodyBytes);
  assert.equal(cache.stats().leasedBytes, 0);
});

test('a body of one block has no nodes above it', async (t) => {
  const object = await storedObject(t, 1_000);
  const cache = await openCache();
  for (const _ of [1, 2]) assert.ok((await object.readWith(cache)).equals(object.plaintext));
  assert.deepEqual(object.sent, { body: object.manifest.bodyBytes, tags: 0, nodes: 0 });
});

test('nothing is kept of what does not fit, or may not lie here', async (t) => {
  const object = await storedObject(t, 3 * MIB, { residency: ['MX'] });
  const { manifest } = object;
  assert.equal((await openCache({ budgetBytes: 2 * MIB })).reading(manifest, 'MX'), null);
  const cache = await openCache({ budgetBytes: 5 * MIB });
  assert.equal(cache.reading(manifest, 'EU'), null);
  using reading = cache.reading(manifest, 'MX') ?? assert.fail();
  await object.read(reading);
  const other = await storedObject(t, 3 * MIB);
  assert.equal(cache.reading(other.manifest, 'MX'), null, 'not beside what is being read');
});

test('what is read is not evicted, and the rest is when the disk is needed', async (t) => {
  const [first, second] = [await storedObject(t, 2 * MIB), await storedObject(t, 2 * MIB)];
  const cache = await openCache();
  await first.readWith(cache);
  using reading = cache.reading(second.manifest, 'MX') ?? assert.fail();
  await second.read(reading);
  await cache.makeWay(1);
  assert.ok(cache.stats().keptBytes > 4 * MIB);
  await cache.makeWay(Number.MAX_SAFE_INTEGER);
  const { keptBytes } = cache.stats();
  assert.ok(keptBytes > 2 * MIB && keptBytes < 3 * MIB, `${keptBytes}`);
  await second.read(reading);
  assert.equal(second.sent.body, second.manifest.bodyBytes);
});

test('a block that rots on the disk is fetched again, and no other', async (t) => {
  const object = await storedObject(t, 5 * MIB);
  const folder = mkdtempSync(join(root, 'cache-'));
  const cache = await openCache({ folder });
  await object.readWith(cache);
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const [leaf = assert.fail()] = files.filter(({ name }) => name.startsWith('bafkrei'));
  const path = join(leaf.parentPath, leaf.name);
  const block = await readFile(path);
  await writeFile(path, flipped(block, 9));
  assert.ok((await object.readWith(cache)).equals(object.plaintext));
  assert.equal(object.sent.body, object.manifest.bodyBytes + block.length);
});

test('what one vault gets wrong another one is asked for, and no wrong byte is kept', async (t) => {
  const object = await storedObject(t, 5 * MIB);
  const liar = (part: 'read' | 'nodes'): Vault => ({
    ...object.vault,
    async open(request, own) {
      const body = await object.vault.open(request, own);
      async function* lies(bytes: AsyncIterable<Uint8Array>) {
        for await (const piece of bytes) yield flipped(piece, 3);
      }
      return {
        ...body,
        read: (range, both) => (part === 'read' ? lies : asIs)(body.read(range, both)),
        nodes: (both) => (part === 'nodes' ? lies : asIs)(body.nodes(both)),
      };
    },
  });
  const asIs = (bytes: AsyncIterable<Uint8Array>) => bytes;
  for (const part of ['read', 'nodes'] as const) {
    const cache = await openCache();
    const vaults = [liar(part), object.vault];
    assert.ok((await object.readWith(cache, vaults)).equals(object.plaintext), part);
    const fooled = await openCache();
    await assert.rejects(object.readWith(fooled, [liar(part)]), (error) => {
      return AppError.from(error).code === 'CIPHERTEXT_INVALID';
    });
    if (part === 'read') assert.ok(fooled.stats().keptBytes < 1_000, 'the nodes alone');
    else assert.equal(fooled.stats().keptBytes, 0);
  }
});
