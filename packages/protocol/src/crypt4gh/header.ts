/**
 * Crypt4GH headers (1.0 §3.2): who may read the body is decided here, and the body never changes.
 * A header may stand before its body or be kept apart from it.
 *
 * Invariants
 * H1  Each recipient of a header has a writer's key of its own, forgotten when it is sealed.
 * H2  A rewrapped header holds packets for its recipients only; what others could read is dropped.
 * H3  A packet that the reader cannot open is ignored; that no data key was found is an error.
 */
import { concatBytes, joinBytes, toHex, u32le, utf8, viewOf } from '../bytes.ts';
import {
  assertLength,
  type Crypto,
  KEY_BYTES,
  type KeyPair,
  makeX25519KeyPair,
} from '../crypto/port.ts';
import { AppError } from '../errors.ts';
import {
  CRYPT4GH_HEADER_BYTES_MAX,
  CRYPT4GH_PACKETS_MAX,
  CRYPT4GH_WRITERS_MAX,
} from '../limits.ts';
import { badEditList, keptRanges } from './edit-list.ts';
import { type Payload, parsePacket, parsePayload, sealPacket, sharedKey } from './packets.ts';

const MAGIC = utf8('crypt4gh');
const VERSION = 1;
/** Magic, version, number of packets. */
const START_BYTES = 16;

export interface HeaderContent {
  /** In the order of the packets; for grouped objects the order of the groups. */
  readonly dataKeys: readonly Uint8Array[];
  readonly editList?: readonly number[];
}

/** A header that each of `recipients` (X25519 public keys) can open. */
export function sealHeader(
  crypto: Crypto,
  content: HeaderContent,
  recipients: readonly Uint8Array[],
): Uint8Array {
  const payloads = payloadsOf(content);
  const count = payloads.length * recipients.length;
  if (content.dataKeys.length === 0 || recipients.length === 0 || count > CRYPT4GH_PACKETS_MAX) {
    throw new AppError(
      'USAGE',
      `a header for ${recipients.length} recipients with ${content.dataKeys.length} data keys`,
      { hint: `Give at least one of each, and at most ${CRYPT4GH_PACKETS_MAX} packets.` },
    );
  }
  const packets = recipients.flatMap((publicKey) => {
    const writer = makeX25519KeyPair(crypto);
    const key = sharedKey(crypto, writer, { publicKey, role: 'reader' });
    if (key === undefined) {
      throw new AppError('INPUT_MALFORMED', 'the public key of a recipient is not usable', {
        hint: 'Ask the recipient for a key made by `crypt4gh-keygen` or `biofs login`.',
      });
    }
    const shared = { key, writerPublicKey: writer.publicKey };
    const sealed = payloads.map((payload) => sealPacket(crypto, payload, shared));
    writer.secretKey.fill(0);
    key.fill(0);
    return sealed;
  });
  const start = concatBytes(MAGIC, u32le(VERSION), u32le(packets.length));
  return concatBytes(start, joinBytes(packets));
}

/**
 * What `reader` finds in a header (all of its bytes and no more). Throws KEY_NOT_HELD when no data
 * key is for this reader, INPUT_WRONG_FORMAT and INPUT_MALFORMED for what is not a header.
 */
export function openHeader(crypto: Crypto, header: Uint8Array, reader: KeyPair): HeaderContent {
  const dataKeys: Uint8Array[] = [];
  let editList: readonly number[] | undefined;
  for (const payload of openPackets(crypto, header, reader)) {
    if (payload.type === 'data_key') dataKeys.push(payload.dataKey);
    else if (editList === undefined) editList = payload.editList;
    else throw badEditList();
  }
  if (dataKeys.length === 0) {
    throw new AppError('KEY_NOT_HELD', 'the header holds no data key for this reader', {
      hint: 'Ask the owner of the data for a grant to your public key.',
    });
  }
  if (editList === undefined) return { dataKeys };
  keptRanges(editList);
  return { dataKeys, editList };
}

/** The same keys and edit list for other readers; the body stays as it is. Throws as `openHeader`. */
export function rewrapHeader(
  crypto: Crypto,
  header: Uint8Array,
  keys: { readonly reader: KeyPair; readonly recipients: readonly Uint8Array[] },
): Uint8Array {
  return sealHeader(crypto, openHeader(crypto, header, keys.reader), keys.recipients);
}

/**
 * Walks a header: yields how many bytes it needs next, is given them, and returns the packets with
 * their lengths. So one grammar serves bytes at hand and bytes that arrive. Throws
 * INPUT_WRONG_FORMAT or INPUT_MALFORMED as soon as it cannot be a header.
 */
export function* walkHeader(): Generator<number, Uint8Array[], Uint8Array> {
  const start = yield START_BYTES;
  const view = viewOf(start);
  if (MAGIC.some((byte, i) => start[i] !== byte)) {
    throw new AppError('INPUT_WRONG_FORMAT', 'the file does not begin with "crypt4gh"', {
      hint: 'Give a file that was encrypted with Crypt4GH.',
    });
  }
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new AppError('INPUT_WRONG_FORMAT', `Crypt4GH version ${version}, expected ${VERSION}`, {
      hint: 'Encrypt with Crypt4GH version 1.',
    });
  }
  const count = view.getUint32(12, true);
  if (count > CRYPT4GH_PACKETS_MAX) throw badHeader(`${count} packets`);
  const packets: Uint8Array[] = [];
  let total = START_BYTES;
  for (let packet = 0; packet < count; packet += 1) {
    const size = yield 4;
    const length = viewOf(size).getUint32(0, true);
    total += length;
    if (length < 8 || total > CRYPT4GH_HEADER_BYTES_MAX) {
      throw badHeader(`a packet of ${length} bytes`);
    }
    packets.push(concatBytes(size, yield length - 4));
  }
  return packets;
}

/** The packets of a header that is all of `header`. */
function packetsOf(header: Uint8Array): Uint8Array[] {
  const walk = walkHeader();
  let at = 0;
  let step = walk.next();
  while (step.done !== true) {
    const end = at + step.value;
    if (end > header.length) throw badHeader('it is truncated');
    step = walk.next(header.subarray(at, end));
    at = end;
  }
  if (at !== header.length) throw badHeader('bytes follow it');
  return step.value;
}

function* openPackets(crypto: Crypto, header: Uint8Array, reader: KeyPair): Generator<Payload> {
  assertLength(reader.publicKey, KEY_BYTES, 'an x25519 public key');
  const sharedKeys = new Map<string, Uint8Array | undefined>();
  for (const bytes of packetsOf(header)) {
    const packet = parsePacket(bytes);
    if (packet === undefined) continue;
    const name = toHex(packet.writerPublicKey);
    if (!sharedKeys.has(name)) {
      if (sharedKeys.size >= CRYPT4GH_WRITERS_MAX) throw badHeader('packets of too many writers');
      const writer = { publicKey: packet.writerPublicKey, role: 'writer' } as const;
      sharedKeys.set(name, sharedKey(crypto, reader, writer));
    }
    const key = sharedKeys.get(name);
    const payload = key && crypto.aeadOpen({ key, nonce: packet.nonce, sealed: packet.sealed });
    if (payload !== undefined) yield parsePayload(payload);
  }
}

function payloadsOf({ dataKeys, editList }: HeaderContent): Payload[] {
  const keys = dataKeys.map((dataKey): Payload => {
    assertLength(dataKey, KEY_BYTES, 'a data key');
    return { type: 'data_key', dataKey };
  });
  return editList === undefined ? keys : [...keys, { type: 'edit_list', editList }];
}

function badHeader(what: string): AppError {
  return new AppError('INPUT_MALFORMED', `not a valid Crypt4GH header: ${what}`, {
    hint: 'Ask the sender for the header again.',
  });
}
