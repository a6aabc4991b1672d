/**
 * What stands inside and around the packets of a Crypt4GH header (1.0 §3.2 and §3.3). A packet is
 * sealed to one reader; inside is a data key or the edit list.
 *
 * Left out: data encryption method 1 (segments numbered in the AAD) of the draft of version 1.1.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type Crypto,
  KEY_BYTES,
  type KeyPair,
} from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import { CRYPT4GH_EDITS_MAX } from '../limits.ts';
import { badEditList } from './edit-list.ts';

/** Packet type, §3.2.2. */
const TYPE_DATA_KEY = 0;
const TYPE_EDIT_LIST = 1;
/** X25519_chacha20_ietf_poly1305, §3.2.1; and chacha20_ietf_poly1305 for data, §3.2.2. */
const METHOD_X25519_CHACHA20 = 0;
const METHOD_CHACHA20 = 0;
/** Length, method, writer's key, nonce, tag: what a packet of method 0 has around its payload. */
const PACKET_OVERHEAD_BYTES = 4 + 4 + KEY_BYTES + AEAD_NONCE_BYTES + AEAD_TAG_BYTES;

export type Payload =
  | { readonly type: 'data_key'; readonly dataKey: Uint8Array }
  | { readonly type: 'edit_list'; readonly editList: readonly number[] };

export interface SealedPacket {
  readonly writerPublicKey: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/**
 * Shared key of a writer and a reader, §3.3.1; the reader's key goes first into the hash, whoever
 * computes it. Undefined where the other's public key is of small order.
 */
export function sharedKey(
  crypto: Crypto,
  own: KeyPair,
  other: { readonly publicKey: Uint8Array; readonly role: 'reader' | 'writer' },
): Uint8Array | undefined {
  const secret = crypto.x25519(own.secretKey, other.publicKey);
  if (secret === undefined) return undefined;
  const [reader, writer] =
    other.role === 'reader' ? [other.publicKey, own.publicKey] : [own.publicKey, other.publicKey];
  return crypto.blake2b512(concatBytes(secret, reader, writer)).slice(0, KEY_BYTES);
}

/** A packet as it stands in the header, its length included. */
export function sealPacket(
  crypto: Crypto,
  payload: Payload,
  shared: { readonly key: Uint8Array; readonly writerPublicKey: Uint8Array },
): Uint8Array {
  const plaintext = encodePayload(payload);
  const packet = new Uint8Array(PACKET_OVERHEAD_BYTES + plaintext.length);
  const view = viewOf(packet);
  view.setUint32(0, packet.length, true);
  view.setUint32(4, METHOD_X25519_CHACHA20, true);
  packet.set(shared.writerPublicKey, 8);
  const nonce = crypto.random(AEAD_NONCE_BYTES);
  packet.set(nonce, 8 + KEY_BYTES);
  const sealed = packet.subarray(8 + KEY_BYTES + AEAD_NONCE_BYTES);
  crypto.aeadSealInto(sealed, { key: shared.key, nonce, plaintext });
  return packet;
}

/** The parts of a packet; undefined for an encryption that is not ours. Throws INPUT_MALFORMED. */
export function parsePacket(packet: Uint8Array): SealedPacket | undefined {
  const method = viewOf(packet).getUint32(4, true);
  if (method !== METHOD_X25519_CHACHA20) return undefined;
  if (packet.length < PACKET_OVERHEAD_BYTES) {
    throw new AppError('INPUT_MALFORMED', `a Crypt4GH packet has ${packet.length} bytes`, {
      hint: 'Ask the sender for the header again.',
    });
  }
  return {
    writerPublicKey: packet.subarray(8, 8 + KEY_BYTES),
    nonce: packet.subarray(8 + KEY_BYTES, 8 + KEY_BYTES + AEAD_NONCE_BYTES),
    sealed: packet.subarray(8 + KEY_BYTES + AEAD_NONCE_BYTES),
  };
}

/** The decrypted payload of a packet. Bytes behind what its type needs are padding. */
export function parsePayload(payload: Uint8Array): Payload {
  const view = viewOf(payload);
  const type = payload.length < 8 ? undefined : view.getUint32(0, true);
  if (type === TYPE_DATA_KEY) {
    const method = view.getUint32(4, true);
    if (method !== METHOD_CHACHA20) {
      throw new AppError('INPUT_WRONG_FORMAT', `data encryption method ${method} is not known`, {
        hint: 'Encrypt with Crypt4GH version 1.0 (chacha20_ietf_poly1305).',
      });
    }
    if (payload.length >= 8 + KEY_BYTES) {
      return { type: 'data_key', dataKey: payload.slice(8, 8 + KEY_BYTES) };
    }
  }
  if (type === TYPE_EDIT_LIST) return { type: 'edit_list', editList: parseEditList(view) };
  throw new AppError('INPUT_MALFORMED', `a packet of type ${type} is not known or too short`, {
    hint: 'Ask the sender for the header again.',
  });
}

function parseEditList(view: DataView): number[] {
  const count = view.getUint32(4, true);
  if (count > CRYPT4GH_EDITS_MAX || view.byteLength < 8 + 8 * count) throw badEditList();
  return Array.from({ length: count }, (_, i) => {
    const length = view.getBigUint64(8 + 8 * i, true);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw badEditList();
    return Number(length);
  });
}

function encodePayload(payload: Payload): Uint8Array {
  if (payload.type === 'data_key') {
    // Type 0 and method 0 are eight zero bytes.
    return concatBytes(new Uint8Array(8), payload.dataKey);
  }
  const bytes = new Uint8Array(8 + 8 * payload.editList.length);
  const view = viewOf(bytes);
  view.setUint32(0, TYPE_EDIT_LIST, true);
  view.setUint32(4, payload.editList.length, true);
  payload.editList.forEach((length, i) => {
    view.setBigUint64(8 + 8 * i, BigInt(length), true);
  });
  return bytes;
}
