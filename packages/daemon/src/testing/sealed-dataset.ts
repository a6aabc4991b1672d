/** A person with a wallet, and sealed datasets of theirs, for tests of custody. */
import type { Digest, NodeId } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  CUSTODIAN_TYPE,
  type Custodian,
  digestFrom,
  digestOf,
  documentId,
  ENCRYPTED_SEGMENT_BYTES,
  ENCRYPTION_KEY_TYPE,
  type EncryptionKey,
  encodeDocument,
  encryptBody,
  GRANT_TYPE,
  GROUP_SEGMENTS,
  type Grant,
  joinBytes,
  type KeyPair,
  MANIFEST_TYPE,
  type Manifest,
  makeGroupKeys,
  makeX25519KeyPair,
  type NodeAddress,
  REVOCATION_HEAD_TYPE,
  type RevocationHead,
  type Signed,
  sealHeader,
  sealPart,
  segmentTag,
  segmentTree,
  signDocument,
  TOMBSTONE_TYPE,
  type Tombstone,
  toHex,
  utf8,
  type WalletSigner,
  walletOf,
} from '@helixmesh/protocol/sealing';

/** The one of `network/testing/test-node.ts`, without loading a listener. */
export const network = digestOf(nodeCrypto, 'helixmesh/network/v1', 'of tests');
export const START_MS = 1_700_000_000_000;

/** The wallet of `name`, the same in each run. */
export function walletNamed(name: string): WalletSigner {
  return walletOf(nodeCrypto, nodeCrypto.sha256(utf8(name)));
}

export function newNonce(): string {
  return toHex(nodeCrypto.random(16));
}

export const vault: NodeAddress = {
  nodeId: `node_${'ab'.repeat(32)}` as NodeId,
  host: '127.0.0.1',
  port: 7401,
};

export interface DatasetOptions {
  readonly plaintext?: Uint8Array;
  readonly hasGroups?: boolean;
  readonly changes?: Partial<Manifest>;
  /** The CID of a body; absent where no vault has to take it. */
  readonly cidOf?: (body: Uint8Array) => Promise<string>;
}

/** A sealed dataset whose headers are sealed to `custodyKey`. */
export async function sealedDataset(
  owner: WalletSigner,
  custodyKey: Uint8Array,
  {
    plaintext = utf8('ACGT'),
    hasGroups = false,
    changes = {},
    cidOf = anyCid,
  }: DatasetOptions = {},
) {
  const { keyOf, keys } = hasGroups ? makeGroupKeys(nodeCrypto) : oneKey();
  const parts: Uint8Array[] = [];
  for await (const each of encryptBody(nodeCrypto, inOne(plaintext), keyOf)) parts.push(each);
  const body = joinBytes(parts);
  const segments = Array.from(
    { length: Math.ceil(body.length / ENCRYPTED_SEGMENT_BYTES) },
    (_, i) => body.subarray(i * ENCRYPTED_SEGMENT_BYTES, (i + 1) * ENCRYPTED_SEGMENT_BYTES),
  );
  const within = changes.network ?? network;
  const root = segmentTree(nodeCrypto, joinBytes(segments.map(segmentTag))).root(within);
  const partKey = nodeCrypto.random(32);
  const part = {
    fileName: 'a name that nobody shall read.vcf',
    mediaType: 'text/x-vcf',
    plaintextDigest: digestFrom(nodeCrypto.sha256(plaintext)),
  };
  const manifest: Manifest = {
    type: MANIFEST_TYPE,
    network,
    owner: owner.address,
    plaintextBytes: plaintext.length,
    bodyBytes: body.length,
    bodyCid: await cidOf(body),
    cidProfile: 'unixfs-v1-2025',
    segments: root,
    segmentsPerKey: hasGroups ? GROUP_SEGMENTS : null,
    residency: null,
    terms: { pipelines: null, commercialUse: true, zones: null },
    sealedPart: sealPart(nodeCrypto, partKey, part, { network: within, segments: root }),
    nonce: newNonce(),
    issuedAtMs: START_MS,
    ...changes,
  };
  const recipients = [custodyKey];
  return {
    id: documentId(nodeCrypto, manifest),
    manifest: await signDocument(owner, manifest),
    header: sealHeader(nodeCrypto, { dataKeys: keys }, recipients),
    partHeader: sealHeader(nodeCrypto, { dataKeys: [partKey] }, recipients),
    vaults: [vault],
    body,
    segments,
    keys,
    partKey,
    part,
  };
}

export async function signedGrant(owner: WalletSigner, changes: Partial<Grant>) {
  const grant: Grant = {
    type: GRANT_TYPE,
    network,
    owner: owner.address,
    grantee: walletNamed('grantee').address,
    dataset: `sha256:${'0'.repeat(64)}` as Digest,
    terms: { pipelines: null, commercialUse: true, zones: null },
    untilMs: null,
    regions: null,
    nonce: newNonce(),
    issuedAtMs: START_MS,
    ...changes,
  };
  return { id: documentId(nodeCrypto, grant), signed: await signDocument(owner, grant) };
}

export async function signedHead(owner: WalletSigner, changes: Partial<RevocationHead>) {
  const head: RevocationHead = {
    type: REVOCATION_HEAD_TYPE,
    network,
    owner: owner.address,
    number: 1,
    previous: null,
    revoked: [],
    custodian: '0'.repeat(64),
    issuedAtMs: START_MS,
    ...changes,
  };
  return { id: documentId(nodeCrypto, head), signed: await signDocument(owner, head) };
}

export function signedTombstone(
  owner: WalletSigner,
  object: Digest,
  changes: Partial<Tombstone> = {},
): Promise<Signed<Tombstone>> {
  return signDocument(owner, {
    type: TOMBSTONE_TYPE,
    network,
    owner: owner.address,
    object,
    issuedAtMs: START_MS,
    ...changes,
  });
}

/** The canonical bytes of an encryption-key statement, and its key. */
export async function encryptionKeyOf(
  account: WalletSigner,
  changes: Partial<EncryptionKey> = {},
): Promise<{ readonly bytes: Uint8Array; readonly key: KeyPair }> {
  const key = makeX25519KeyPair(nodeCrypto);
  const document: EncryptionKey = {
    type: ENCRYPTION_KEY_TYPE,
    network,
    account: account.address,
    publicKey: toHex(key.publicKey),
    issuedAtMs: START_MS,
    nonce: newNonce(),
    ...changes,
  };
  return { bytes: encodeDocument(await signDocument(account, document)), key };
}

export async function signedCustodian(owner: WalletSigner, changes: Partial<Custodian>) {
  const document: Custodian = {
    type: CUSTODIAN_TYPE,
    network,
    owner: owner.address,
    nodeId: vault.nodeId,
    endpoint: { host: '127.0.0.1', port: 7402 },
    encryptionKey: '1'.repeat(64),
    issuedAtMs: START_MS,
    nonce: newNonce(),
    ...changes,
  };
  return signDocument(owner, document);
}

function oneKey() {
  const key = nodeCrypto.random(32);
  return { keyOf: () => key, keys: [key] };
}

async function anyCid(): Promise<string> {
  return 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
