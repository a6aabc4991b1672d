/**
 * What both ends of a connection must do alike: the hash of a message, and whose key a certificate
 * holds. The documents and headers themselves are in the protocol.
 */
import type { X509Certificate } from 'node:crypto';
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { decodeWireError, KEY_BYTES } from '@helixmesh/protocol/sealing';

/** What is signed of a request without a body, and of a stream of messages. */
export const NO_BODY_SHA256: Uint8Array = nodeCrypto.sha256(new Uint8Array());

/**
 * SHA-256 of a message as protobuf-es writes it: fields in order of number, defaults left out.
 * Undefined when the message has fields that its type does not, for nobody can say what they mean.
 */
export function messageSha256<T extends DescMessage>(
  type: T,
  message: MessageShape<T>,
): Uint8Array | undefined {
  const known = toBinary(type, message, { writeUnknownFields: false });
  if (toBinary(type, message).length !== known.length) return undefined;
  return nodeCrypto.sha256(known);
}

/** Control and format characters: they would move the cursor of whoever reads the message. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}]/gu;

/** The error that a node sent, fit to be shown; undefined where the header holds none. */
export function sentError(header: string | null | undefined): AppError | undefined {
  const sent = header === null || header === undefined ? undefined : decodeWireError(header);
  if (sent === undefined) return undefined;
  const shown = (text: string) => text.replace(UNPRINTABLE, '\u{fffd}');
  const hint = sent.hint === undefined ? {} : { hint: shown(sent.hint) };
  return new AppError(sent.code, shown(sent.message), hint);
}

/** The Ed25519 public key of a certificate; undefined where it holds another kind of key. */
export function keyOfCertificate(certificate: X509Certificate): Uint8Array | undefined {
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType !== 'ed25519') return undefined;
  // SubjectPublicKeyInfo of Ed25519 ends with the raw key (RFC 8410 §4).
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(-KEY_BYTES));
}
