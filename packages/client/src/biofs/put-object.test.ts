import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type ByteSource,
  documentId,
  GROUP_SEGMENTS,
  makeX25519KeyPair,
  type NodeAddress,
  nodeIdOf,
  openHeader,
  rewrapHeader,
} from '@helixmesh/protocol/sealing';
import { segmentKeys } from './object-keys.ts';
import { openObject } from './object-reader.ts';
import {
  type KeptDataset,
  type KeyKeeper,
  type ObjectTerms,
  type PutContext,
  prepareObject,
  uploadObject,
} from './put-object.ts';
import { readObject } from './read-object.ts';
import { gatherSame } from './same-files.ts';
import { openSpool } from './spool.ts';
import { collect, inChunks, memoryVault, network, someBytes } from './testing/memory-vault.ts';
import { owner } from './testing/sealed-file.ts';
import type { Vault } from './vault-port.ts';

const CONTENT = someBytes(2_500_000);
const ADDRESS: NodeAddress = { nodeId: nodeIdOf('ab'.repeat(32)), host: 'localhost', port: 7401 };
const TERMS: ObjectTerms = {
  residency: ['EU'],
  terms: { pipelines: null, commercialUse: false, zones: null },
  segmentsPerKey: null,
};
const FILE = {
  fileName: 'reads.vcf',
  mediaType: 'application/vnd.ga4gh.vcf',
  sizeBytes: CONTENT.length,
  read: () => inChunks(CONTENT, 65_000),
};

type Kept = Parameters<KeyKeeper['addDataset']>[0] & { state: KeptDataset['state'] };

/** A custody in memory: what is in it outlives the process that a test lets die. */
function makeKeeper() {
  const key = makeX25519KeyPair(nodeCrypto);
  const kept = new Map<Digest, Kept>();
  const keeper: KeyKeeper = {
    publicKey: key.publicKey,
    addDataset(dataset) {
      const id = documentId(nodeCrypto, dataset.manifest.document);
      kept.set(id, { ...dataset, state: 'pending' });
      return id;
    },
    markStored(id) {
      const dataset = kept.get(id);
      if (dataset !== undefined) dataset.state = 'stored';
    },
    listDatasets: () => [...kept].map(([id, { manifest, state }]) => ({ id, manifest, state })),
    openOwn(id, recipient) {
      const keys = { reader: key, recipients: [recipient] };
      const partHeader = kept.get(id)?.partHeader ?? assert.fail('no such dataset');
      return { partHeader: rewrapHeader(nodeCrypto, partHeader, keys) };
    },
  };
  return { key, kept, keeper };
}

async function fixture(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'hm-put-'));
  t.after(() => rm(folder, { recursive: true }));
  const custody = makeKeeper();
  const vault = await memoryVault();
  /** What the command does, in a process of its own. */
  const put = async (changes: { keeper?: Partial<KeyKeeper>; vaults?: readonly Vault[] } = {}) => {
    const spool = await openSpool(nodeCrypto, folder);
    const context: PutContext = {
      crypto: nodeCrypto,
      network,
      wallet: owner,
      keeper: { ...custody.keeper, ...changes.keeper },
      spool,
      signal: AbortSignal.timeout(60_000),
    };
    await spool.sweep((id) => custody.kept.has(id));
    const vaults = [ADDRESS];
    const options = { file: FILE, terms: TERMS, vaults, nowMs: 1_700_000_000_000 };
    const known = await gatherSame(context, TERMS).find(FILE);
    const object = known ?? (await prepareObject(context, options));
    const targets = (changes.vaults ?? [vault]).map((one) => ({ address: ADDRESS, vault: one }));
    return { ...object, uploads: await uploadObject(context, object, targets) };
  };
  return { folder, vault, put, ...custody };
}

const killed = () => assert.fail('killed');

test('what was put is read again with the keys of the custody alone', async (t) => {
  const { key, kept, vault, put, folder } = await fixture(t);
  const { id, part, uploads } = await put();
  assert.deepEqual(
    uploads.map(({ vault: name, status }) => [name, status]),
    [['memory', 'stored']],
  );
  assert.equal(part.fileName, 'reads.vcf');
  assert.deepEqual(await readdir(folder), [], 'the spool is empty');
  const { manifest, header } = kept.get(id) ?? assert.fail();
  const reader = await openObject({
    crypto: nodeCrypto,
    manifest: manifest.document,
    keyOf: segmentKeys(manifest.document, openHeader(nodeCrypto, header, key), null),
    vaults: [vault],
    request: {
      objectId: id,
      purpose: { pipeline: 'read', isCommercial: false, zone: 'EU' },
      ranges: [],
      grants: [],
      grantSegments: [],
    },
    signal: AbortSignal.timeout(60_000),
  });
  assert.deepEqual(
    await collect(readObject(reader, [{ start: 0, end: CONTENT.length }], 2)),
    CONTENT,
  );
});

test('putting the same file again changes and sends nothing', async (t) => {
  const { vault, put, kept } = await fixture(t);
  const first = await put();
  const again = await put();
  assert.equal(again.id, first.id);
  assert.deepEqual(again.uploads, [{ vault: 'memory', status: 'known', sentBytes: 0 }]);
  assert.equal(vault.counts.puts, 1);
  assert.equal(kept.size, 1);
});

test('killed before the custody has the keys: the next run begins anew and leaves no body', async (t) => {
  const { vault, put, kept, folder } = await fixture(t);
  await assert.rejects(put({ keeper: { addDataset: killed } }), /killed/);
  await writeFile(join(folder, '0011223344556677.part'), 'half a body');
  assert.equal((await readdir(folder)).length, 2);
  await put();
  assert.deepEqual(await readdir(folder), []);
  assert.equal(kept.size, 1);
  assert.equal(vault.counts.puts, 1);
});

test('killed when the keys are kept: the next run sends the same body, and seals nothing', async (t) => {
  const { put, kept, vault, folder } = await fixture(t);
  await assert.rejects(put({ vaults: [{ ...vault, put: killed }] }), /killed/);
  const [id] = kept.keys();
  assert.equal(kept.get(id as Digest)?.state, 'pending');
  assert.equal((await readdir(folder)).length, 1);
  const { id: again, uploads } = await put();
  assert.equal(again, id);
  assert.equal(uploads[0]?.status, 'stored');
  assert.equal(kept.size, 1);
  assert.equal(kept.get(again)?.state, 'stored');
});

test('killed when the vault has it and the custody does not know: it is not sent again', async (t) => {
  const { put, vault, kept } = await fixture(t);
  await assert.rejects(put({ keeper: { markStored: killed } }), /killed/);
  const { id, uploads } = await put();
  assert.equal(uploads[0]?.status, 'known');
  assert.equal(vault.counts.puts, 1);
  assert.equal(kept.get(id)?.state, 'stored');
});

test('of two vaults one fails: the other is served, and the next run serves the rest', async (t) => {
  const { put, vault } = await fixture(t);
  const second = await memoryVault('second');
  const failing = { ...second, put: killed };
  await assert.rejects(put({ vaults: [failing, vault] }), /killed/);
  const { uploads } = await put({ vaults: [second, vault] });
  assert.deepEqual(
    uploads.map(({ status }) => status),
    ['stored', 'known'],
  );
  assert.equal(vault.counts.puts, 1);
});

test('killed while it sends: the next run sends the rest alone, and the same body is stored', async (t) => {
  const { put, vault, kept } = await fixture(t);
  const dying: Vault = {
    ...vault,
    put: (manifest, body, signal) =>
      vault.put(manifest, (from) => inPart(body(from), 1_700_000), signal),
  };
  await assert.rejects(put({ vaults: [dying] }), /killed/);
  const sentBefore = vault.counts.putBytes;
  const { id, uploads } = await put();
  assert.ok(sentBefore > 2 ** 20, 'more than a block has come in');
  const bodyBytes = kept.get(id)?.manifest.document.bodyBytes ?? 0;
  assert.equal(uploads[0]?.sentBytes, bodyBytes - 2 ** 20, 'one block was kept');
});

/** The first bytes of a body, then the process dies. */
async function* inPart(body: ByteSource, bytes: number): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of body) {
    if (sent + chunk.length > bytes) killed();
    sent += chunk.length;
    yield chunk;
  }
}

test('other terms, another name and other content are other objects', async (t) => {
  const { put, keeper, folder } = await fixture(t);
  await put();
  const spool = await openSpool(nodeCrypto, folder);
  const signal = AbortSignal.timeout(60_000);
  const context = { crypto: nodeCrypto, network, wallet: owner, keeper, spool, signal };
  const other = someBytes(CONTENT.length, 7);
  assert.ok(await gatherSame(context, TERMS).find(FILE));
  const different = [
    gatherSame(context, { ...TERMS, residency: null }).find(FILE),
    gatherSame(context, { ...TERMS, segmentsPerKey: GROUP_SEGMENTS }).find(FILE),
    gatherSame(context, TERMS).find({ ...FILE, fileName: 'other.vcf' }),
    gatherSame(context, TERMS).find({ ...FILE, read: () => inChunks(other, 9_999) }),
  ];
  assert.deepEqual(await Promise.all(different), [undefined, undefined, undefined, undefined]);
});
