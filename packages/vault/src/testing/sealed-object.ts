/** Sealed objects and catalogues for tests. */
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  concatBytes,
  documentId,
  ENCRYPTED_SEGMENT_BYTES,
  encryptBody,
  MANIFEST_TYPE,
  type Manifest,
  type Signed,
  segmentTag,
  segmentTree,
  signDocument,
  TOMBSTONE_TYPE,
  type Tombstone,
  toBase64,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { collect, inChunks } from '@helixmesh/protocol/testing/bytes';
import { type Cid, cidOf } from '../blocks/cid.ts';
import { type MemoryBlock, memoryBlockstore } from '../blocks/memory-blockstore.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { type CatalogueOptions, openCatalogue } from '../objects/catalogue.ts';
import { buildDag } from '../objects/dag.ts';
import { memoryRecordStore } from '../objects/memory-record-store.ts';
import { someBytes } from './bytes.ts';

export const network = `sha256:${'7'.repeat(64)}` as Digest;
export const owner = walletOf(nodeCrypto, nodeCrypto.sha256(someBytes(1)));
export const stranger = walletOf(nodeCrypto, nodeCrypto.sha256(someBytes(2)));

export interface TestObject {
  readonly id: Digest;
  readonly signed: Signed<Manifest>;
  readonly body: Uint8Array;
  readonly tags: Uint8Array;
}

/** A signed object of that many bytes of plaintext, sealed with a key that nobody has. */
export async function sealedObject(
  plaintextBytes: number,
  changes: Partial<Manifest> = {},
  signer = owner,
): Promise<TestObject> {
  const key = nodeCrypto.random(32);
  const plaintext = someBytes(plaintextBytes);
  const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 2 ** 20), () => key));
  const segments: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += ENCRYPTED_SEGMENT_BYTES) {
    segments.push(body.subarray(at, at + ENCRYPTED_SEGMENT_BYTES));
  }
  const tags = concatBytes(...segments.map(segmentTag));
  const manifest: Manifest = {
    type: MANIFEST_TYPE,
    network,
    owner: signer.address,
    plaintextBytes,
    bodyBytes: body.length,
    bodyCid: await rootOf(body),
    cidProfile: 'unixfs-v1-2025',
    segments: segmentTree(nodeCrypto, tags).root(network),
    segmentsPerKey: null,
    residency: null,
    terms: { pipelines: null, commercialUse: false, zones: null },
    sealedPart: toBase64(someBytes(300)),
    nonce: '00112233445566778899aabbccddeeff',
    issuedAtMs: 1_700_000_000_000,
    ...changes,
  };
  const signed = await signDocument(signer, manifest);
  return { id: documentId(nodeCrypto, manifest), signed, body, tags };
}

/** What its owner signs to have it removed. */
export function tombstoneOf(
  object: Pick<TestObject, 'id'>,
  signer = owner,
  changes: Partial<Tombstone> = {},
): Promise<Signed<Tombstone>> {
  return signDocument(signer, {
    type: TOMBSTONE_TYPE,
    network,
    owner: signer.address,
    object: object.id,
    issuedAtMs: 1_700_000_000_000,
    ...changes,
  });
}

async function rootOf(body: Uint8Array): Promise<Cid> {
  const dag = buildDag(nodeCrypto, async () => {});
  for (let at = 0; at < body.length; at += BLOCK_BYTES_MAX) {
    const leaf = body.subarray(at, at + BLOCK_BYTES_MAX);
    await dag.append(cidOf(nodeCrypto, 'raw', leaf), leaf.length);
  }
  return await dag.finish();
}

/** A vault in memory, with its insides. */
export async function memoryVault(changes: Partial<CatalogueOptions> = {}) {
  const held = new Map<Cid, MemoryBlock>();
  const kept = new Map<Digest, Uint8Array>();
  const clock = { nowMs: 1_700_000_100_000 };
  const now = () => clock.nowMs;
  const store = { crypto: nodeCrypto, now, capacityBytes: 2 ** 30, blocks: held };
  const options: CatalogueOptions = {
    crypto: nodeCrypto,
    network,
    blocks: memoryBlockstore(store),
    records: memoryRecordStore(kept),
    quotaOf: () => ({ bytes: 2 ** 30, objects: 1_000 }),
    now,
    ...changes,
  };
  const catalogue = await openCatalogue(options);
  return { catalogue, options, blocks: options.blocks, held, kept, clock };
}
