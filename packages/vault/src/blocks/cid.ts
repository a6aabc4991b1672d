/**
 * Content identifiers: CIDv1 with SHA-256, in base32, of raw leaves and of the dag-pb nodes above
 * them. <https://github.com/multiformats/cid>
 *
 *   'b' ‖ base32(0x01 ‖ codec ‖ 0x12 ‖ 0x20 ‖ SHA-256 of the block)
 *
 * Invariants
 * C1  A CID has one spelling: lower case, and no set bits behind the last byte.
 * C2  A CID is 59 of `a-z2-7`: a file of that name lies in the folder that it was put in.
 */
import { AppError } from '@helixmesh/protocol';
import type { Crypto } from '@helixmesh/protocol/sealing';

declare const brand: unique symbol;
/** 59 characters: `bafkrei…` of a raw leaf, `bafybei…` of a dag-pb node. */
export type Cid = string & { readonly [brand]: 'Cid' };

export type Codec = 'raw' | 'dag-pb';

/** Multicodec table: another number is another CID for every other reader. */
const CODEC_BYTES: Readonly<Record<Codec, number>> = { raw: 0x55, 'dag-pb': 0x70 };
const VERSION = 0x01;
/** Multihash: SHA-256, 32 bytes. */
const SHA256 = [0x12, 0x20] as const;
export const CID_BYTES = 36;
const HASH_AT = 4;
const CID_PATTERN = /^baf(kre|ybe)i[a-z2-7]{52}$/;
/** RFC 4648 §6 in lower case. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The CID of a block. */
export function cidOf(crypto: Crypto, codec: Codec, block: Uint8Array): Cid {
  const bytes = new Uint8Array(CID_BYTES);
  bytes.set([VERSION, CODEC_BYTES[codec], ...SHA256]);
  bytes.set(crypto.sha256(block), HASH_AT);
  return textOfCid(bytes);
}

/** A CID from outside. Throws INPUT_MALFORMED for any other text. */
export function parseCid(text: string): Cid {
  if (CID_PATTERN.test(text) && textOfCid(cidBytes(text as Cid)) === text) return text as Cid;
  throw new AppError('INPUT_MALFORMED', 'a content identifier is not valid', {
    hint: 'Give a CIDv1 of SHA-256 in base32: bafkrei… or bafybei… and 52 characters.',
  });
}

/** A CID from its 36 bytes; undefined where they are none of ours. */
export function cidFromBytes(bytes: Uint8Array): Cid | undefined {
  const isCid =
    bytes.length === CID_BYTES &&
    bytes[0] === VERSION &&
    (bytes[1] === CODEC_BYTES.raw || bytes[1] === CODEC_BYTES['dag-pb']) &&
    bytes[2] === SHA256[0] &&
    bytes[3] === SHA256[1];
  return isCid ? textOfCid(bytes) : undefined;
}

/** The 36 bytes. */
export function cidBytes(cid: Cid): Uint8Array {
  const bytes = new Uint8Array(CID_BYTES);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of cid.slice(1)) {
    bits = ((bits << 5) | ALPHABET.indexOf(char)) & 0xfff;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    bytes[at] = (bits >> held) & 0xff;
    at += 1;
  }
  return bytes;
}

export function codecOf(cid: Cid): Codec {
  return cid.startsWith('bafk') ? 'raw' : 'dag-pb';
}

/** Whether `block` is what `cid` names. */
export function isBlockOf(crypto: Crypto, cid: Cid, block: Uint8Array): boolean {
  return cidOf(crypto, codecOf(cid), block) === cid;
}

function textOfCid(bytes: Uint8Array): Cid {
  let text = 'b';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text += ALPHABET[(bits >> held) & 31];
    }
  }
  if (held > 0) text += ALPHABET[(bits << (5 - held)) & 31];
  return text as Cid;
}
