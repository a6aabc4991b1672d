import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, joinBytes, u32le, utf8, viewOf } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { AEAD_NONCE_BYTES, aeadSeal, makeX25519KeyPair } from '../crypto/port.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import {
  CRYPT4GH_EDITS_MAX,
  CRYPT4GH_HEADER_BYTES_MAX,
  CRYPT4GH_PACKETS_MAX,
  CRYPT4GH_WRITERS_MAX,
} from '../limits.ts';
import { flipped, inChunks, isAppError, throwsOnlyAppError, vector } from '../testing/bytes.ts';
import { takeHeader } from './body.ts';
import { openHeader, rewrapHeader, sealHeader } from './header.ts';
import { sharedKey } from './packets.ts';

const alice = makeX25519KeyPair(nodeCrypto);
const bob = makeX25519KeyPair(nodeCrypto);
const dataKeys = [nodeCrypto.random(32), nodeCrypto.random(32), nodeCrypto.random(32)];

/** A header around packets that are as they stand. */
function around(...packets: readonly Uint8Array[]): Uint8Array {
  return concatBytes(utf8('crypt4gh'), u32le(1), u32le(packets.length), ...packets);
}

/** A packet with that payload, sealed to alice. */
function packetOf(payload: Uint8Array): Uint8Array {
  const writer = makeX25519KeyPair(nodeCrypto);
  const key = sharedKey(nodeCrypto, writer, { publicKey: alice.publicKey, role: 'reader' });
  assert.ok(key !== undefined);
  const nonce = nodeCrypto.random(AEAD_NONCE_BYTES);
  const sealed = aeadSeal(nodeCrypto, { key, nonce, plaintext: payload });
  const inside = concatBytes(u32le(0), writer.publicKey, nonce, sealed);
  return concatBytes(u32le(inside.length + 4), inside);
}

const keyPacket = packetOf(concatBytes(new Uint8Array(8), dataKeys[0] ?? new Uint8Array(32)));

function editPacket(count: number, lengths: readonly bigint[]): Uint8Array {
  const payload = new Uint8Array(8 + 8 * lengths.length);
  const view = viewOf(payload);
  view.setUint32(0, 1, true);
  view.setUint32(4, count, true);
  lengths.forEach((length, i) => {
    view.setBigUint64(8 + 8 * i, length, true);
  });
  return packetOf(payload);
}

test('a header opens for each of its readers, in both twins, and for nobody else', () => {
  const content = { dataKeys, editList: [5, 10] };
  const header = sealHeader(nodeCrypto, content, [alice.publicKey, bob.publicKey]);
  for (const crypto of [nodeCrypto, portableCrypto]) {
    assert.deepEqual(openHeader(crypto, header, alice), content);
    assert.deepEqual(openHeader(crypto, header, bob), content);
    const other = makeX25519KeyPair(crypto);
    assert.throws(() => openHeader(crypto, header, other), isAppError('KEY_NOT_HELD'));
  }
});

test('a rewrapped header has the same keys, and none for those who are not named', () => {
  const header = sealHeader(nodeCrypto, { dataKeys }, [alice.publicKey]);
  const keys = { reader: alice, recipients: [bob.publicKey] };
  const rewrapped = rewrapHeader(nodeCrypto, header, keys);
  assert.deepEqual(openHeader(nodeCrypto, rewrapped, bob), { dataKeys });
  assert.throws(() => openHeader(nodeCrypto, rewrapped, alice), isAppError('KEY_NOT_HELD'));
  const one = sealHeader(nodeCrypto, { dataKeys: dataKeys.slice(0, 1) }, [alice.publicKey]);
  assert.equal(rewrapHeader(nodeCrypto, one, keys).length, 124);
});

test('no two headers share a writer or a nonce', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20; i += 1) {
    const header = sealHeader(nodeCrypto, { dataKeys: dataKeys.slice(0, 1) }, [alice.publicKey]);
    seen.add(Buffer.from(header.subarray(24, 56)).toString('hex'));
    seen.add(Buffer.from(header.subarray(56, 68)).toString('hex'));
  }
  assert.equal(seen.size, 40);
});

test('a flipped bit anywhere in a header takes the key away', () => {
  const header = sealHeader(nodeCrypto, { dataKeys: dataKeys.slice(0, 1) }, [alice.publicKey]);
  for (let at = 0; at < header.length; at += 1) {
    assert.throws(
      () => openHeader(nodeCrypto, flipped(header, at), alice),
      isAppError('KEY_NOT_HELD', 'INPUT_MALFORMED', 'INPUT_WRONG_FORMAT'),
      `byte ${at}`,
    );
  }
});

test('padding in a packet and packets of other methods are passed over', () => {
  const key = nodeCrypto.random(32);
  const padded = packetOf(concatBytes(new Uint8Array(8), key, new Uint8Array(100)));
  const foreign = concatBytes(u32le(20), u32le(9), new Uint8Array(12));
  const zeroWriter = keyPacket.slice().fill(0, 8, 40);
  const header = around(foreign, zeroWriter, padded);
  assert.deepEqual(openHeader(nodeCrypto, header, alice), { dataKeys: [key] });
});

test('what stands in a packet must be known and whole', () => {
  const wrong = [
    packetOf(u32le(0)),
    packetOf(new Uint8Array(39)),
    packetOf(concatBytes(u32le(2), new Uint8Array(40))),
    editPacket(2, [1n]),
    editPacket(1, [2n ** 53n]),
    editPacket(0xffff_ffff, [1n]),
    editPacket(2, [2n ** 52n, 2n ** 53n - 1n]),
    editPacket(CRYPT4GH_EDITS_MAX + 1, new Array(CRYPT4GH_EDITS_MAX + 1).fill(1n)),
  ];
  for (const packet of wrong) {
    const header = around(keyPacket, packet);
    assert.throws(() => openHeader(nodeCrypto, header, alice), isAppError('INPUT_MALFORMED'));
  }
  const twoLists = around(keyPacket, editPacket(1, [1n]), editPacket(1, [1n]));
  assert.throws(() => openHeader(nodeCrypto, twoLists, alice), isAppError('INPUT_MALFORMED'));
  const numbered = packetOf(concatBytes(u32le(0), u32le(1), new Uint8Array(40)));
  const draft = around(numbered);
  assert.throws(() => openHeader(nodeCrypto, draft, alice), isAppError('INPUT_WRONG_FORMAT'));
});

test('a header has limits', () => {
  const head = (packets: number) => concatBytes(utf8('crypt4gh'), u32le(1), u32le(packets));
  const large = new Uint8Array(CRYPT4GH_HEADER_BYTES_MAX / 2);
  large.set(u32le(large.length));
  large.set(u32le(9), 4);
  const bad = [
    head(CRYPT4GH_PACKETS_MAX + 1),
    concatBytes(head(1), u32le(7), new Uint8Array(3)),
    concatBytes(head(1), u32le(0xffff_ffff)),
    concatBytes(head(1), u32le(12), u32le(0), new Uint8Array(4)),
    concatBytes(around(keyPacket), Uint8Array.of(0)),
    around(keyPacket).subarray(0, -1),
    around(keyPacket, large, large),
  ];
  for (const header of bad) {
    assert.throws(() => openHeader(nodeCrypto, header, alice), isAppError('INPUT_MALFORMED'));
  }
  const writers = Array.from({ length: CRYPT4GH_WRITERS_MAX + 1 }, () => {
    const packet = keyPacket.slice();
    packet.set(nodeCrypto.random(32), 8);
    return packet;
  });
  const header = around(...writers);
  assert.throws(() => openHeader(nodeCrypto, header, alice), isAppError('INPUT_MALFORMED'));
  assert.throws(() => sealHeader(nodeCrypto, { dataKeys }, []), isAppError('USAGE'));
  assert.throws(
    () => sealHeader(nodeCrypto, { dataKeys }, [new Uint8Array(32)]),
    isAppError('INPUT_MALFORMED'),
  );
});

test('a header with as many packets as there may be is sealed, taken off a file and opened', async () => {
  const keys = Array.from({ length: CRYPT4GH_PACKETS_MAX }, () => nodeCrypto.random(32));
  const sealed = sealHeader(nodeCrypto, { dataKeys: keys }, [alice.publicKey]);
  const { header } = await takeHeader(inChunks(sealed, 100_000));
  const opened = openHeader(nodeCrypto, header, alice);
  assert.ok(Buffer.from(joinBytes(opened.dataKeys)).equals(joinBytes(keys)));
});

test('any bytes as a header, as a packet or as a payload throw at most an AppError', () => {
  const version = vector('crypt4gh', 'short.c4gh').subarray(0, 124);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      throwsOnlyAppError(() => openHeader(nodeCrypto, bytes, alice));
      throwsOnlyAppError(() => openHeader(nodeCrypto, concatBytes(version, bytes), alice));
      const framed = concatBytes(u32le(bytes.length + 4), bytes);
      throwsOnlyAppError(() => openHeader(nodeCrypto, around(framed), alice));
      throwsOnlyAppError(() => openHeader(nodeCrypto, around(packetOf(bytes)), alice));
    }),
    { numRuns: 300 },
  );
});
