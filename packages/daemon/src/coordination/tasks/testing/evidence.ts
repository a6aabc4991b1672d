/** Datasets of a requester's own, for tests of coordinators: a manifest, and no body anywhere. */
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  bodyBytesOf,
  type DatasetEvidence,
  documentId,
  encodeDocument,
  MANIFEST_TYPE,
  type Manifest,
  type Signed,
  segmentCount,
  signDocument,
  toBase64,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';

const PLAINTEXT_BYTES = 1_000_000;

/** Who seals what in which network. */
export interface OwnOptions {
  readonly owner: WalletSigner;
  readonly network: Digest;
  readonly change?: Partial<Manifest>;
}

/** The same for the same arguments. */
export async function manifestBy({ owner, network, change = {} }: OwnOptions) {
  const plaintextBytes = change.plaintextBytes ?? PLAINTEXT_BYTES;
  const document: Manifest = {
    type: MANIFEST_TYPE,
    network,
    owner: owner.address,
    plaintextBytes,
    bodyBytes: bodyBytesOf(plaintextBytes),
    bodyCid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    cidProfile: 'unixfs-v1-2025',
    segments: { count: segmentCount(plaintextBytes), root: network },
    segmentsPerKey: null,
    residency: null,
    terms: { pipelines: null, commercialUse: true, zones: null },
    sealedPart: 'AAAA',
    nonce: '0'.repeat(32),
    issuedAtMs: 0,
    ...change,
  };
  return { id: documentId(nodeCrypto, document), signed: await signDocument(owner, document) };
}

/** As a requester sends it. */
export function evidenceText(manifest: Signed<Manifest>): DatasetEvidence {
  return { manifest: toBase64(encodeDocument(manifest)), grant: null };
}
