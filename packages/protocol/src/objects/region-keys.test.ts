import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../bytes.ts';
import { decryptBody, encryptBody, openWithAny, readPlaintext } from '../crypt4gh/body.ts';
import { openHeader } from '../crypt4gh/header.ts';
import {
  bodyRange,
  openSegment,
  type Range,
  SEGMENT_BYTES,
  sealSegment,
} from '../crypt4gh/segments.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { makeX25519KeyPair } from '../crypto/port.ts';
import { REGIONS_MAX } from '../limits.ts';
import { collect, inChunks, isAppError } from '../testing/bytes.ts';
import {
  GROUP_SEGMENTS,
  groupCount,
  groupOf,
  makeGroupKeys,
  openWithGroups,
  sealRegionHeader,
} from './region-keys.ts';

const GROUPS = 6;
const GROUP_BYTES = GROUP_SEGMENTS * SEGMENT_BYTES;
const grantee = makeX25519KeyPair(nodeCrypto);
const recipients = [grantee.publicKey];
const plaintextBytes = GROUPS * GROUP_BYTES - 5;

/** An object of six groups whose segments are a few bytes long: keys do not depend on the length. */
const groupKeys = makeGroupKeys(nodeCrypto);
const segments = Array.from({ length: GROUPS * GROUP_SEGMENTS }, (_, index) =>
  sealSegment(nodeCrypto, groupKeys.keyOf(index), Uint8Array.of(index & 255, index >> 8)),
);

/** A real object of a group and a bit. */
const plaintext = nodeCrypto.random(GROUP_BYTES + 3 * SEGMENT_BYTES + 100);
const { keys, keyOf } = makeGroupKeys(nodeCrypto);
const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 2 ** 20), keyOf));

/** The bytes of `plaintext` that some region names, each once. */
function bytesAt(regions: readonly Range[]): Uint8Array {
  const isWanted = new Uint8Array(plaintext.length + 1);
  for (const { start, end } of regions) isWanted.fill(1, start, end);
  const parts: Uint8Array[] = [];
  for (let at = isWanted.indexOf(1); at >= 0; ) {
    const end = isWanted.indexOf(0, at);
    parts.push(plaintext.subarray(at, end));
    at = isWanted.indexOf(1, end);
  }
  return concatBytes(...parts);
}

const regionsOf = (bytes: number) =>
  fc.array(
    fc
      .tuple(fc.nat(bytes - 1), fc.integer({ min: 1, max: Math.floor(bytes / 4) }))
      .map(([start, length]) => ({
        start,
        end: Math.min(start + length, bytes),
      })),
    { minLength: 1, maxLength: 4 },
  );

function touches(regions: readonly Range[], { start, end }: Range): boolean {
  return regions.some((region) => region.start < end && region.end > start);
}

test('the keys of a grant open the groups of its regions and no other segment', () => {
  fc.assert(
    fc.property(regionsOf(plaintextBytes), (regions) => {
      const request = { groupKeys: groupKeys.keys, plaintextBytes, regions, recipients };
      const grant = sealRegionHeader(nodeCrypto, request);
      const { dataKeys } = openHeader(nodeCrypto, grant.header, grantee);
      const open = openWithGroups(nodeCrypto, dataKeys, grant.groups);
      const tryAll = openWithAny(nodeCrypto, dataKeys);
      for (const [index, segment] of segments.entries()) {
        const group = groupOf(index);
        const bytes = { start: group * GROUP_BYTES, end: (group + 1) * GROUP_BYTES };
        const isGranted = touches(regions, bytes);
        assert.equal(open(segment, index) !== undefined, isGranted, `segment ${index}`);
        assert.equal(tryAll(segment, index) !== undefined, isGranted, `segment ${index}`);
      }
    }),
    { numRuns: 12 },
  );
});

test('every group has a key of its own', () => {
  assert.equal(groupKeys.keys.length, groupCount(plaintextBytes));
  const hex = groupKeys.keys.map((key) => Buffer.from(key).toString('hex'));
  assert.equal(new Set(hex).size, GROUPS);
  segments.slice(0, 3).forEach((segment) => {
    const opening = groupKeys.keys.filter((key) => openSegment(nodeCrypto, key, segment));
    assert.deepEqual(opening, [groupKeys.keys[0]]);
  });
});

test('the vault is told to serve the segments of the regions and no others', () => {
  fc.assert(
    fc.property(regionsOf(plaintextBytes), (regions) => {
      const request = { groupKeys: groupKeys.keys, plaintextBytes, regions, recipients };
      const grant = sealRegionHeader(nodeCrypto, request);
      const served = new Set(
        grant.segments.flatMap(({ start, end }) =>
          Array.from({ length: end - start }, (_, i) => start + i),
        ),
      );
      for (let index = 0; index < segments.length; index += 1) {
        const bytes = { start: index * SEGMENT_BYTES, end: (index + 1) * SEGMENT_BYTES };
        assert.equal(served.has(index), touches(regions, bytes));
      }
    }),
    { numRuns: 40 },
  );
});

test('the served segments and the header are a Crypt4GH file of the regions alone', async () => {
  await fc.assert(
    fc.asyncProperty(regionsOf(plaintext.length), async (regions) => {
      const request = { groupKeys: keys, plaintextBytes: plaintext.length, regions, recipients };
      const grant = sealRegionHeader(nodeCrypto, request);
      const { dataKeys, editList } = openHeader(nodeCrypto, grant.header, grantee);
      assert.ok(editList !== undefined);
      const served = concatBytes(
        ...grant.segments.map((range) => {
          const { start, end } = bodyRange(range, body.length);
          return body.subarray(start, end);
        }),
      );
      const open = openWithAny(nodeCrypto, dataKeys);
      const file = await collect(decryptBody(inChunks(served, 2 ** 20), { open, editList }));
      assert.ok(Buffer.from(file).equals(bytesAt(regions)));
    }),
    { numRuns: 5 },
  );
});

test('a random read beyond the grant fails', async () => {
  const request = { groupKeys: keys, plaintextBytes: plaintext.length, recipients };
  const regions = [{ start: GROUP_BYTES + 1, end: GROUP_BYTES + 5 }];
  const grant = sealRegionHeader(nodeCrypto, { ...request, regions });
  const { dataKeys } = openHeader(nodeCrypto, grant.header, grantee);
  const open = openWithGroups(nodeCrypto, dataKeys, grant.groups);
  const source = {
    bodyBytes: body.length,
    read: async ({ start, end }: Range) => body.subarray(start, end),
  };
  const granted = await collect(readPlaintext(source, open, regions[0] as Range));
  assert.deepEqual(granted, plaintext.slice(GROUP_BYTES + 1, GROUP_BYTES + 5));
  const before = { start: GROUP_BYTES - 1, end: GROUP_BYTES + 5 };
  await assert.rejects(
    collect(readPlaintext(source, open, before)),
    isAppError('CIPHERTEXT_INVALID'),
  );
});

test('as many regions as there may be are granted', () => {
  const regions = Array.from({ length: REGIONS_MAX }, (_, i) => ({
    start: i * 10_000,
    end: i * 10_000 + 5,
  }));
  const request = { groupKeys: groupKeys.keys, plaintextBytes, regions, recipients };
  const grant = sealRegionHeader(nodeCrypto, request);
  const { editList = [] } = openHeader(nodeCrypto, grant.header, grantee);
  assert.equal(editList.length, 2 * REGIONS_MAX);
  const one = [...regions, { start: 0, end: 1 }];
  const seal = () => sealRegionHeader(nodeCrypto, { ...request, regions: one });
  assert.throws(seal, isAppError('USAGE'));
});

test('regions outside the object, empty ones and headers with too few keys are refused', () => {
  const request = { groupKeys: groupKeys.keys, plaintextBytes, recipients };
  const wrong: Range[][] = [
    [],
    [{ start: 5, end: 5 }],
    [{ start: -1, end: 5 }],
    [{ start: 0, end: plaintextBytes + 1 }],
    [{ start: 0.5, end: 2 }],
  ];
  for (const regions of wrong) {
    const seal = () => sealRegionHeader(nodeCrypto, { ...request, regions });
    assert.throws(seal, isAppError('USAGE'));
  }
  const two = groupKeys.keys.slice(0, 2);
  for (const groups of [[{ start: 0, end: 1 }], [{ start: 0, end: 2 ** 40 }]]) {
    assert.throws(() => openWithGroups(nodeCrypto, two, groups), isAppError('INPUT_MALFORMED'));
  }
});
