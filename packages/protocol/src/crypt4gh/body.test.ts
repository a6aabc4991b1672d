import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { aeadSeal } from '../crypto/port.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { CRYPT4GH_TRIAL_KEYS_MAX } from '../limits.ts';
import { inPieces, toTransformStream } from '../streams.ts';
import {
  collect,
  inChunks,
  isAppError,
  knownBytes,
  rejectsOnlyAppError,
} from '../testing/bytes.ts';
import {
  type BodyReader,
  decryptBody,
  encryptBody,
  openWithAny,
  readPlaintext,
  takeHeader,
} from './body.ts';
import { editListOf, keptRanges } from './edit-list.ts';
import {
  bodyBytesOf,
  ENCRYPTED_SEGMENT_BYTES,
  openSegment,
  plaintextBytesOf,
  type Range,
  SEGMENT_BYTES,
  sealSegment,
  segmentsOfBytes,
} from './segments.ts';

const key = nodeCrypto.random(32);
const open = openWithAny(nodeCrypto, [key]);
const plaintext = knownBytes(5 * SEGMENT_BYTES + 321);
const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 70_001), () => key));

function reader(bytes: Uint8Array): BodyReader & { readonly reads: Range[] } {
  const reads: Range[] = [];
  return {
    bodyBytes: bytes.length,
    reads,
    read: async (range) => {
      reads.push(range);
      return bytes.subarray(range.start, range.end);
    },
  };
}

test('sizes of bodies and plaintexts follow from each other', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), (size) => {
      assert.equal(plaintextBytesOf(bodyBytesOf(size)), size);
    }),
  );
  assert.equal(body.length, bodyBytesOf(plaintext.length));
  for (const size of [1, 28, ENCRYPTED_SEGMENT_BYTES + 1, ENCRYPTED_SEGMENT_BYTES + 28]) {
    assert.throws(() => plaintextBytesOf(size), isAppError('INPUT_TRUNCATED'));
  }
});

test('a body decrypts to its plaintext, however it arrives', async () => {
  for (const size of [777, SEGMENT_BYTES, ENCRYPTED_SEGMENT_BYTES, body.length]) {
    assert.deepEqual(await collect(decryptBody(inChunks(body, size), { open })), plaintext);
  }
  const portable = openWithAny(portableCrypto, [key]);
  const short = body.subarray(5 * ENCRYPTED_SEGMENT_BYTES);
  assert.deepEqual(
    await collect(decryptBody(inChunks(short, 100), { open: portable })),
    plaintext.subarray(5 * SEGMENT_BYTES),
  );
});

test('any part of the plaintext is read without the rest', async () => {
  const range = fc
    .tuple(fc.nat(plaintext.length), fc.nat(plaintext.length))
    .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
  await fc.assert(
    fc.asyncProperty(range, async ({ start, end }) => {
      const source = reader(body);
      const part = await collect(readPlaintext(source, open, { start, end }));
      assert.deepEqual(part, plaintext.slice(start, end));
      const fetched = source.reads.reduce((sum, read) => sum + read.end - read.start, 0);
      const segments = segmentsOfBytes({ start, end });
      assert.ok(fetched <= (segments.end - segments.start) * ENCRYPTED_SEGMENT_BYTES);
    }),
    { numRuns: 40 },
  );
  const beyond = { start: 0, end: plaintext.length + 1 };
  await assert.rejects(collect(readPlaintext(reader(body), open, beyond)), isAppError('USAGE'));
  const short = { ...reader(body), read: async () => new Uint8Array(5) };
  const one = { start: 0, end: 1 };
  await assert.rejects(collect(readPlaintext(short, open, one)), isAppError('INPUT_TRUNCATED'));
});

test('an edit list keeps what it says, as the algorithm of the specification does', async () => {
  const lengths = fc.array(fc.nat(2 * SEGMENT_BYTES), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lengths, async (editList) => {
      const edited = await collect(decryptBody(inChunks(body, 50_000), { open, editList }));
      assert.deepEqual(edited, applyEditList(editList, plaintext));
    }),
    { numRuns: 40 },
  );
  const example = [0, 7853, 71_721, 307_929, 51_299, 38];
  assert.deepEqual(editListOf(keptRanges(example)), example);
});

/** Algorithm 1 of Crypt4GH 1.0 §4.2, word for word. */
function applyEditList(editList: readonly number[], input: Uint8Array): Uint8Array {
  const edits = [...editList];
  let output: Uint8Array = new Uint8Array(0);
  let pos = 0;
  while (edits.length > 0) {
    pos += edits.shift() ?? 0;
    const keep = edits.shift();
    const part = keep === undefined ? input.subarray(pos) : input.subarray(pos, pos + keep);
    output = concatBytes(output, part);
    pos += keep ?? 0;
  }
  return output;
}

test('segments of which an edit list keeps nothing need no key', async () => {
  const opened: number[] = [];
  const spy = (segment: Uint8Array, index: number) => {
    opened.push(index);
    return openSegment(nodeCrypto, key, segment);
  };
  const editList = [3 * SEGMENT_BYTES + 5, 10];
  await collect(decryptBody(inChunks(body, 9999), { open: spy, editList }));
  assert.deepEqual(opened, [3]);
});

test('a segment opens with its key only, and as a whole only', () => {
  const segment = sealSegment(nodeCrypto, key, plaintext.subarray(0, 100));
  assert.deepEqual(openSegment(nodeCrypto, key, segment), plaintext.slice(0, 100));
  assert.equal(openSegment(nodeCrypto, nodeCrypto.random(32), segment), undefined);
  assert.equal(openSegment(nodeCrypto, key, segment.subarray(0, 28)), undefined);
  const nonce = nodeCrypto.random(12);
  const sealed = aeadSeal(nodeCrypto, { key, nonce, plaintext: new Uint8Array(SEGMENT_BYTES + 1) });
  const long = concatBytes(nonce, sealed);
  assert.equal(openSegment(nodeCrypto, key, long), undefined);
});

test('a body that ends within a segment or has one from elsewhere is refused', async () => {
  const cut = body.subarray(0, body.length - 1);
  const stub = body.subarray(0, ENCRYPTED_SEGMENT_BYTES + 28);
  const other = sealSegment(nodeCrypto, nodeCrypto.random(32), plaintext.subarray(0, 50));
  const mixed = concatBytes(body.subarray(0, ENCRYPTED_SEGMENT_BYTES), other);
  for (const bad of [cut, stub, mixed]) {
    await assert.rejects(
      collect(decryptBody(inChunks(bad, 4096), { open })),
      isAppError('CIPHERTEXT_INVALID', 'INPUT_TRUNCATED'),
    );
  }
});

test('a web stream in each direction does the same', async () => {
  const encrypting = toTransformStream((source) => encryptBody(nodeCrypto, source, () => key));
  const decrypting = toTransformStream((source) => decryptBody(source, { open }));
  const source = ReadableStream.from(inChunks(plaintext, 30_000));
  const back = source.pipeThrough(encrypting).pipeThrough(decrypting);
  assert.deepEqual(await collect(back), plaintext);
  const broken = ReadableStream.from(inChunks(body.subarray(1), 30_000));
  const failing = broken.pipeThrough(toTransformStream((input) => decryptBody(input, { open })));
  await assert.rejects(collect(failing), isAppError('CIPHERTEXT_INVALID'));
});

test('a stream of any length takes a few segments of memory', async () => {
  const chunk = knownBytes(2 ** 20);
  const total = 256;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < total; i += 1) yield chunk;
  }
  let bytes = 0;
  let peakBytes = 0;
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const encrypted = encryptBody(nodeCrypto, endless(), () => key);
  for await (const piece of decryptBody(encrypted, { open })) {
    bytes += piece.length;
    if (bytes % 2 ** 23 === 0) {
      peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - before);
    }
  }
  assert.equal(bytes, total * 2 ** 20);
  assert.ok(peakBytes < 160 * 2 ** 20, `${peakBytes} bytes of buffers for ${bytes}`);
});

test('pieces have the size asked for, whatever the chunks', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 40 }), async (parts, size) => {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield* parts;
      }
      const pieces: Uint8Array[] = [];
      for await (const piece of inPieces(source(), size)) pieces.push(piece.slice());
      assert.deepEqual(concatBytes(...pieces), concatBytes(...parts));
      assert.ok(pieces.slice(0, -1).every((piece) => piece.length === size));
      assert.ok(pieces.every((piece) => piece.length > 0));
    }),
  );
});

test('so many keys without an order are refused', () => {
  const keys = Array.from({ length: CRYPT4GH_TRIAL_KEYS_MAX + 1 }, () => key);
  assert.throws(() => openWithAny(nodeCrypto, keys), isAppError('USAGE'));
});

test('any bytes as a file or a body throw at most an AppError', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await rejectsOnlyAppError(() => collect(decryptBody(inChunks(bytes, 64), { open })));
      await rejectsOnlyAppError(async () => {
        const { body: rest } = await takeHeader(inChunks(bytes, 13));
        await collect(rest);
      });
    }),
  );
});
