/** A file that was sealed by this library, with everything that reading it needs. */
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  digestFrom,
  documentId,
  encodeDocument,
  GROUP_SEGMENTS,
  MANIFEST_TYPE,
  type Manifest,
  signDocument,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { segmentKeys } from '../object-keys.ts';
import { type ObjectSource, openObject } from '../object-reader.ts';
import { sealBody } from '../seal.ts';
import type { Vault } from '../vault-port.ts';
import { inChunks, network, someBytes } from './memory-vault.ts';

export const owner = walletOf(nodeCrypto, nodeCrypto.sha256(someBytes(1)));

export async function sealedFile(plaintextBytes: number, { isGrouped = false } = {}) {
  const plaintext = someBytes(plaintextBytes);
  const leaves: Uint8Array[] = [];
  const { dataKeys, plaintextDigest, ...facts } = await sealBody(
    inChunks(plaintext, 100_000),
    async (leaf) => void leaves.push(leaf.slice()),
    { crypto: nodeCrypto, network, isGrouped },
  );
  const body = Uint8Array.from(Buffer.concat(leaves));
  const manifest: Manifest = {
    type: MANIFEST_TYPE,
    network,
    owner: owner.address,
    ...facts,
    cidProfile: 'unixfs-v1-2025',
    segmentsPerKey: isGrouped ? GROUP_SEGMENTS : null,
    residency: null,
    terms: { pipelines: null, commercialUse: false, zones: null },
    sealedPart: 'AAAA',
    nonce: '00112233445566778899aabbccddeeff',
    issuedAtMs: 1_700_000_000_000,
  };
  const signed = await signDocument(owner, manifest);
  const id = documentId(nodeCrypto, manifest);
  return {
    id,
    manifest,
    plaintext,
    plaintextDigest,
    dataKeys,
    body,
    digestOfPlaintext: digestFrom(nodeCrypto.sha256(plaintext)),
    async putInto(...vaults: readonly Vault[]) {
      for (const vault of vaults) {
        const chunks = (from: number) => inChunks(body.subarray(from), 50_000);
        await vault.put(encodeDocument(signed), chunks, AbortSignal.timeout(60_000));
      }
    },
    open: (vaults: readonly Vault[], changes: Partial<ObjectSource> = {}) =>
      openObject({
        crypto: nodeCrypto,
        manifest,
        keyOf: segmentKeys(manifest, { dataKeys }, null),
        vaults,
        request: {
          objectId: id,
          purpose: { pipeline: 'read', isCommercial: false, zone: 'EU' },
          ranges: [],
          grants: [],
          grantSegments: [],
        },
        signal: AbortSignal.timeout(60_000),
        ...changes,
      }),
  };
}
