/**
 * The TLS certificate of a node: X.509 (RFC 5280) of its Ed25519 key (RFC 8410), signed with that
 * same key. Peers compare the key and read nothing else of it, so it names no host and has no end.
 *
 * One key has one certificate: nothing in it is random, and Ed25519 signs alike each time.
 */
import { nodeCrypto } from '@helixmesh/protocol/node';
import { concatBytes, type KeyPair, toHex, utf8 } from '@helixmesh/protocol/sealing';

export interface CertificateOfKey {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

/** Tags of DER (X.690 §8). */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** [0] and [3] of TBSCertificate, constructed. */
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** Object identifiers in their DER form. */
const ID_ED25519 = Uint8Array.of(0x2b, 0x65, 0x70);
const ID_COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03);
const ID_BASIC_CONSTRAINTS = Uint8Array.of(0x55, 0x1d, 0x13);

const X509_VERSION_3 = 2;
/** One certificate for each issuer, so the same number will do. */
const SERIAL = 1;
const NOT_BEFORE = '700101000000Z';
/** RFC 5280 §4.1.2.5: a certificate without a defined end. */
const NOT_AFTER = '99991231235959Z';

/** The certificate of an Ed25519 key pair, and its key for TLS. */
export function makeCertificate({ publicKey, secretKey }: KeyPair): CertificateOfKey {
  const algorithm = der(TAG.sequence, der(TAG.objectId, ID_ED25519));
  // The common name may have 64 characters (RFC 5280, appendix A.1): a node id without `node_`.
  const commonName = der(
    TAG.sequence,
    der(TAG.objectId, ID_COMMON_NAME),
    der(TAG.utf8String, utf8(toHex(publicKey))),
  );
  const name = der(TAG.sequence, der(TAG.set, commonName));
  const body = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Uint8Array.of(X509_VERSION_3))),
    der(TAG.integer, Uint8Array.of(SERIAL)),
    algorithm,
    name,
    der(
      TAG.sequence,
      der(TAG.utcTime, utf8(NOT_BEFORE)),
      der(TAG.generalizedTime, utf8(NOT_AFTER)),
    ),
    name,
    der(TAG.sequence, algorithm, bitString(publicKey)),
    der(TAG.extensions, der(TAG.sequence, notAnAuthority())),
  );
  const signature = nodeCrypto.ed25519Sign(secretKey, body);
  return {
    certificatePem: pem('CERTIFICATE', der(TAG.sequence, body, algorithm, bitString(signature))),
    privateKeyPem: privateKeyPem(algorithm, secretKey),
  };
}

/** Critical, and empty: it signs no other certificate. */
function notAnAuthority(): Uint8Array {
  return der(
    TAG.sequence,
    der(TAG.objectId, ID_BASIC_CONSTRAINTS),
    der(TAG.boolean, Uint8Array.of(0xff)),
    der(TAG.octetString, der(TAG.sequence)),
  );
}

/** RFC 8410 §7. */
function privateKeyPem(algorithm: Uint8Array, secretKey: Uint8Array): string {
  const version = der(TAG.integer, Uint8Array.of(0));
  const key = der(TAG.octetString, der(TAG.octetString, secretKey));
  return pem('PRIVATE KEY', der(TAG.sequence, version, algorithm, key));
}

function bitString(bytes: Uint8Array): Uint8Array {
  const unusedBits = Uint8Array.of(0);
  return der(TAG.bitString, unusedBits, bytes);
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag), derLength(content.length), content);
}

/** X.690 §8.1.3; nothing here reaches 64 KiB. */
function derLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x100) return Uint8Array.of(0x81, length);
  return Uint8Array.of(0x82, length >> 8, length & 0xff);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
