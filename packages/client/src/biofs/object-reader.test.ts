import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  ENCRYPTED_SEGMENT_BYTES,
  GROUP_SEGMENTS,
  makeX25519KeyPair,
  openHeader,
  type Range,
  SEGMENT_BYTES,
  sealRegionHeader,
} from '@helixmesh/protocol/sealing';
import { segmentKeys } from './object-keys.ts';
import { grantedRanges } from './plan.ts';
import { readObject } from './read-object.ts';
import { changedVault, collect, inChunks, memoryVault } from './testing/memory-vault.ts';
import { sealedFile } from './testing/sealed-file.ts';
import type { OpenBody, Vault } from './vault-port.ts';
import { watched } from './watched.ts';

const SIZE = 10 * SEGMENT_BYTES + 123;

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

/** A vault whose reads give what `change` makes of the right bytes. */
function lying(vault: Vault, change: (bytes: Uint8Array) => Uint8Array): Vault {
  return changedVault(vault, (body) => ({
    async *read(range, signal) {
      yield* inChunks(change(await collect(body.read(range, signal))), 60_000);
    },
  }));
}

async function fixture() {
  const file = await sealedFile(SIZE);
  const vault = await memoryVault();
  await file.putInto(vault);
  return { file, vault };
}

test('any range is read as it was, whatever the number of connections', async () => {
  const { file, vault } = await fixture();
  const ranges: Range[] = [
    { start: 0, end: SIZE },
    { start: 0, end: 1 },
    { start: SIZE - 1, end: SIZE },
    { start: SEGMENT_BYTES - 1, end: SEGMENT_BYTES + 1 },
    { start: 70_000, end: 400_000 },
  ];
  for (const connections of [1, 3]) {
    for (const range of ranges) {
      const reader = await file.open([vault]);
      const bytes = await collect(readObject(reader, [range], connections));
      await reader.close();
      assert.deepEqual(bytes, file.plaintext.subarray(range.start, range.end));
    }
  }
});

test('only the segments that hold the range are asked for', async () => {
  const { file, vault } = await fixture();
  const reader = await file.open([vault]);
  await collect(readObject(reader, [{ start: 5 * SEGMENT_BYTES, end: 5 * SEGMENT_BYTES + 9 }], 2));
  assert.equal(vault.counts.readBytes, ENCRYPTED_SEGMENT_BYTES);
});

const LIES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'a flipped bit of ciphertext': (bytes) => flipped(bytes, 1_000),
  'a flipped bit of a tag': (bytes) => flipped(bytes, ENCRYPTED_SEGMENT_BYTES - 1),
  'segments in another order': (bytes) =>
    Uint8Array.from(
      Buffer.concat([
        bytes.subarray(ENCRYPTED_SEGMENT_BYTES, 2 * ENCRYPTED_SEGMENT_BYTES),
        bytes.subarray(0, ENCRYPTED_SEGMENT_BYTES),
        bytes.subarray(2 * ENCRYPTED_SEGMENT_BYTES),
      ]),
    ),
  'an end that comes early': (bytes) => bytes.subarray(0, bytes.length - ENCRYPTED_SEGMENT_BYTES),
  'no bytes at all': (bytes) => bytes.subarray(0, 0),
  'more than was asked for': (bytes) => Uint8Array.from(Buffer.concat([bytes, bytes])),
};

for (const [what, lie] of Object.entries(LIES)) {
  test(`${what} is refused, and another vault is asked for the rest`, async () => {
    const { file, vault } = await fixture();
    const range = { start: 0, end: 3 * SEGMENT_BYTES };
    const alone = await file.open([lying(vault, lie)]);
    await assert.rejects(collect(readObject(alone, [range], 1)), (error) => {
      assert.ok(error instanceof AppError);
      assert.ok(['CIPHERTEXT_INVALID', 'KEY_NOT_HELD'].includes(error.code), error.code);
      return true;
    });
    const reader = await file.open([lying(vault, lie), vault]);
    const bytes = await collect(readObject(reader, [range], 1));
    assert.deepEqual(bytes, file.plaintext.subarray(0, range.end));
  });
}

test('a list of segments that the owner has not signed is refused', async () => {
  const { file, vault } = await fixture();
  const tagLies: ((tags: Uint8Array) => Uint8Array)[] = [
    (tags) => flipped(tags, 3),
    (tags) => tags.subarray(28),
    (tags) => Uint8Array.from([...tags, ...tags]),
  ];
  for (const lie of tagLies) {
    const liar = changedVault(vault, (body) => ({
      async *tags(signal) {
        yield lie(await collect(body.tags(signal)));
      },
    }));
    await assert.rejects(file.open([liar]), failsWith('CIPHERTEXT_INVALID'));
    await (await file.open([liar, vault])).close();
  }
});

test('a stream that breaks goes on where it broke, and nothing verified is fetched again', async () => {
  const { file, vault } = await fixture();
  let breaks = 3;
  const flaky = changedVault(vault, (body: OpenBody) => ({
    async *read(range, signal) {
      let sent = 0;
      for await (const chunk of inPiecesOf(body.read(range, signal))) {
        if (sent > ENCRYPTED_SEGMENT_BYTES && breaks > 0) {
          breaks -= 1;
          throw new AppError('PEER_UNREACHABLE', 'the connection broke');
        }
        sent += chunk.length;
        yield chunk;
      }
    },
  }));
  const reader = await file.open([flaky]);
  assert.deepEqual(await collect(readObject(reader, [{ start: 0, end: SIZE }], 1)), file.plaintext);
  assert.equal(breaks, 0);
});

test('a vault that refuses for good is not asked for ever', async () => {
  const { file, vault } = await fixture();
  let reads = 0;
  const refusing = changedVault(vault, () => ({
    // biome-ignore lint/correctness/useYield: it fails before it has something to give.
    async *read() {
      reads += 1;
      throw new AppError('ACCESS_REFUSED', 'revoked');
    },
  }));
  const reader = await file.open([refusing]);
  const reading = collect(readObject(reader, [{ start: 0, end: 1 }], 1));
  await assert.rejects(reading, failsWith('ACCESS_REFUSED'));
  assert.equal(reads, 1);
});

test('the header of a region grant opens its bytes and no others', async () => {
  const segments = GROUP_SEGMENTS + 3;
  const file = await sealedFile(segments * SEGMENT_BYTES, { isGrouped: true });
  const vault = await memoryVault();
  await file.putInto(vault);
  const region = {
    start: GROUP_SEGMENTS * SEGMENT_BYTES + 10,
    end: file.plaintext.length - 70_000,
  };
  const reader = makeX25519KeyPair(nodeCrypto);
  const granted = sealRegionHeader(nodeCrypto, {
    groupKeys: file.dataKeys,
    plaintextBytes: file.plaintext.length,
    regions: [region],
    recipients: [reader.publicKey],
  });
  const content = openHeader(nodeCrypto, granted.header, reader);
  const keyOf = segmentKeys(file.manifest, content, granted.segments);
  const ranges = grantedRanges(content.editList ?? [], granted.segments, file.plaintext.length);
  assert.deepEqual(ranges, [region]);
  const object = await file.open([vault], { keyOf });
  const bytes = await collect(readObject(object, ranges, 2));
  assert.deepEqual(bytes, file.plaintext.subarray(region.start, region.end));
  const beyond = collect(readObject(object, [{ start: 0, end: 5 }], 1));
  await assert.rejects(beyond, failsWith('KEY_NOT_HELD'));
});

test('a vault that falls silent is left', async () => {
  async function* silent(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  const source = watched(silent, AbortSignal.timeout(60_000), 20);
  await assert.rejects(collect(source), failsWith('PEER_UNREACHABLE'));
});

async function* inPiecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield* inChunks(chunk, 30_000);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
