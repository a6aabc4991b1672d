/** Owners' custodians for tests: statements, heads and attestations. */
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  CUSTODIAN_TYPE,
  type Custodian,
  documentId,
  HEAD_ATTESTATION_TYPE,
  type HeadAttestation,
  nodeIdOf,
  REVOCATION_HEAD_TYPE,
  type RevocationHead,
  type Signed,
  signDocument,
  signWithKey,
  toHex,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';

export interface CustodianKit {
  readonly key: string;
  statement(changes?: Partial<Custodian>): Promise<Signed<Custodian>>;
  head(changes?: Partial<RevocationHead>): Promise<Signed<RevocationHead>>;
  attest(
    head: Signed<RevocationHead>,
    changes: Partial<HeadAttestation> & { readonly atMs: number },
  ): Signed<HeadAttestation>;
}

/** What the custodian of `owner` with that Ed25519 key signs, or has signed by the owner. */
export function custodianKit(
  network: Digest,
  owner: WalletSigner,
  secretKey: Uint8Array,
): CustodianKit {
  const key = toHex(nodeCrypto.ed25519PublicKey(secretKey));
  return {
    key,
    statement: (changes = {}) =>
      signDocument(owner, {
        type: CUSTODIAN_TYPE,
        network,
        owner: owner.address,
        nodeId: nodeIdOf(key),
        endpoint: { host: '127.0.0.1', port: 7402 },
        encryptionKey: '1'.repeat(64),
        issuedAtMs: 1_700_000_000_000,
        nonce: '2'.repeat(32),
        ...changes,
      }),
    head: (changes = {}) =>
      signDocument(owner, {
        type: REVOCATION_HEAD_TYPE,
        network,
        owner: owner.address,
        number: 1,
        previous: null,
        revoked: [],
        custodian: key,
        issuedAtMs: 1_700_000_000_000,
        ...changes,
      }),
    attest: ({ document }, changes) =>
      signWithKey(nodeCrypto, secretKey, {
        type: HEAD_ATTESTATION_TYPE,
        network: document.network,
        owner: document.owner,
        number: document.number,
        head: documentId(nodeCrypto, document),
        ...changes,
      }),
  };
}
