/** A small sealed object with everything around it, for tests. */
import { encryptBody, openWithAny } from '../crypt4gh/body.ts';
import { ENCRYPTED_SEGMENT_BYTES } from '../crypt4gh/segments.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { digestFrom } from '../digest.ts';
import { MANIFEST_TYPE, type Manifest, type SealedPart, sealPart } from '../objects/manifest.ts';
import { segmentTag, segmentTree } from '../objects/merkle.ts';
import { walletOf } from '../signing/wallet.ts';
import { collect, inChunks, knownBytes } from './bytes.ts';

export const network = digestFrom(knownBytes(32));
export const owner = walletOf(nodeCrypto, nodeCrypto.sha256(knownBytes(40)));
export const partKey = nodeCrypto.random(32);

export const part: SealedPart = {
  fileName: 'a name that nobody shall read.bam',
  mediaType: 'application/vnd.ga4gh.bam',
  plaintextDigest: digestFrom(knownBytes(96).subarray(64)),
};

export async function sealedObject(plaintext: Uint8Array) {
  const key = nodeCrypto.random(32);
  const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 2 ** 20), () => key));
  const segments = Array.from(
    { length: Math.ceil(body.length / ENCRYPTED_SEGMENT_BYTES) },
    (_, i) => body.subarray(i * ENCRYPTED_SEGMENT_BYTES, (i + 1) * ENCRYPTED_SEGMENT_BYTES),
  );
  const tags = Uint8Array.from(Buffer.concat(segments.map(segmentTag)));
  const tree = segmentTree(nodeCrypto, tags);
  const root = tree.root(network);
  const manifest: Manifest = {
    type: MANIFEST_TYPE,
    network,
    owner: owner.address,
    plaintextBytes: plaintext.length,
    bodyBytes: body.length,
    bodyCid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    cidProfile: 'unixfs-v1-2025',
    segments: root,
    segmentsPerKey: null,
    residency: ['EU', 'MX'],
    terms: { pipelines: ['germline'], commercialUse: false, zones: null },
    sealedPart: sealPart(nodeCrypto, partKey, part, { network, segments: root }),
    nonce: '00112233445566778899aabbccddeeff',
    issuedAtMs: 1_700_000_000_000,
  };
  const open = openWithAny(nodeCrypto, [key]);
  return { key, body, segments, tags, tree, manifest, open };
}
