/** Agreement with the Python package crypt4gh: its files, and ours read by it where it is there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { KeyPair } from '../crypto/port.ts';
import { GROUP_SEGMENTS, makeGroupKeys, sealRegionHeader } from '../objects/region-keys.ts';
import {
  collect,
  flipped,
  inChunks,
  isAppError,
  knownBytes,
  vector,
  vectorText,
} from '../testing/bytes.ts';
import { decryptBody, encryptBody, openWithAny, takeHeader } from './body.ts';
import { openHeader, rewrapHeader, sealHeader } from './header.ts';
import { parsePublicKey, parseSecretKey } from './key-file.ts';
import { bodyRange, ENCRYPTED_SEGMENT_BYTES, SEGMENT_BYTES } from './segments.ts';

interface Expected {
  readonly passphrase: string;
  readonly secretKeys: Readonly<Record<string, string>>;
}
const expected = JSON.parse(vectorText('crypt4gh', 'expected.json')) as Expected;
const alice = await keyOf('alice');
const bob = await keyOf('bob');
const carol = await keyOf('carol');

function keyOf(name: string): Promise<KeyPair> {
  const text = vectorText('crypt4gh', `${name}.sec`);
  return parseSecretKey(nodeCrypto, text, expected.passphrase);
}

async function decrypted(file: Uint8Array, reader: KeyPair): Promise<Uint8Array> {
  const { header, body } = await takeHeader(inChunks(file, 10_007));
  const { dataKeys, ...edits } = openHeader(nodeCrypto, header, reader);
  return collect(decryptBody(body, { open: openWithAny(nodeCrypto, dataKeys), ...edits }));
}

/** Length of the header of segments.c4gh: a data key for each of two readers. */
const TWO_READERS_BYTES = 16 + 2 * 108;

test('key files of the other implementation hold the keys that it says', () => {
  for (const [name, pair] of Object.entries({ alice, bob, carol })) {
    assert.equal(toHex(pair.secretKey), expected.secretKeys[name]);
    assert.deepEqual(parsePublicKey(vectorText('crypt4gh', `${name}.pub`)), pair.publicKey);
  }
});

test('files of the other implementation decrypt for each of their readers', async () => {
  assert.deepEqual(await decrypted(vector('crypt4gh', 'empty.c4gh'), alice), new Uint8Array(0));
  assert.deepEqual(await decrypted(vector('crypt4gh', 'short.c4gh'), alice), knownBytes(1000));
  const segments = vector('crypt4gh', 'segments.c4gh');
  const plaintext = knownBytes(2 * SEGMENT_BYTES + 1000);
  assert.deepEqual(await decrypted(segments, alice), plaintext);
  assert.deepEqual(await decrypted(segments, bob), plaintext);
  await assert.rejects(decrypted(segments, carol), isAppError('KEY_NOT_HELD'));
});

test('a file with two data keys decrypts, whatever their order in the header', async () => {
  const file = vector('crypt4gh', 'two-keys.c4gh');
  assert.deepEqual(await decrypted(file, alice), knownBytes(SEGMENT_BYTES + 500));
});

test('a detached header that the other implementation rewrapped opens the same body', async () => {
  const header = vector('crypt4gh', 'segments.carol.header');
  const body = vector('crypt4gh', 'segments.c4gh').subarray(TWO_READERS_BYTES);
  const { dataKeys } = openHeader(nodeCrypto, header, carol);
  const open = openWithAny(nodeCrypto, dataKeys);
  const plaintext = await collect(decryptBody(inChunks(body, 65_536), { open }));
  assert.deepEqual(plaintext, knownBytes(2 * SEGMENT_BYTES + 1000));
  assert.throws(() => openHeader(nodeCrypto, header, bob), isAppError('KEY_NOT_HELD'));
});

test('edit lists of the other implementation trim the plaintext', async () => {
  const header = vector('crypt4gh', 'segments.edited.header');
  const start = TWO_READERS_BYTES;
  const body = vector('crypt4gh', 'segments.c4gh').subarray(start);
  const { dataKeys, editList } = openHeader(nodeCrypto, header, alice);
  assert.deepEqual(editList, [65_000, 2000]);
  const open = openWithAny(nodeCrypto, dataKeys);
  const served = inChunks(body.subarray(0, 2 * ENCRYPTED_SEGMENT_BYTES), 5000);
  const plaintext = await collect(decryptBody(served, { open, editList }));
  assert.deepEqual(plaintext, knownBytes(67_000).subarray(65_000));

  const odd = await decrypted(vector('crypt4gh', 'odd-edit.c4gh'), alice);
  const all = knownBytes(1000);
  assert.deepEqual(odd, Uint8Array.from([...all.subarray(100, 150), ...all.subarray(175)]));
});

test('a changed, cut or mixed-up file does not decrypt', async () => {
  const file = vector('crypt4gh', 'short.c4gh');
  const start = 16 + 108;
  for (let at = 0; at < file.length; at += at < start + 12 ? 1 : 97) {
    const codes = ['INPUT_WRONG_FORMAT', 'INPUT_MALFORMED', 'INPUT_TRUNCATED'] as const;
    await assert.rejects(
      decrypted(flipped(file, at), alice),
      isAppError('KEY_NOT_HELD', 'CIPHERTEXT_INVALID', ...codes),
      `byte ${at}`,
    );
  }
  for (const length of [0, 7, 16, 20, start - 1, start + 28, file.length - 1]) {
    await assert.rejects(
      decrypted(file.subarray(0, length), alice),
      isAppError('INPUT_TRUNCATED', 'CIPHERTEXT_INVALID'),
      `${length} bytes`,
    );
  }
  const segments = vector('crypt4gh', 'segments.c4gh');
  const lastFirst = Buffer.concat([
    segments.subarray(0, TWO_READERS_BYTES),
    segments.subarray(-1028),
    segments.subarray(TWO_READERS_BYTES, -1028),
  ]);
  await assert.rejects(decrypted(lastFirst, alice), isAppError('CIPHERTEXT_INVALID'));
});

test('a secret key protected in a way that is not supported is refused with a way out', async () => {
  const dora = vectorText('crypt4gh', 'dora-bcrypt.sec');
  await assert.rejects(
    parseSecretKey(nodeCrypto, dora, expected.passphrase),
    isAppError('INPUT_WRONG_FORMAT'),
  );
  const bobText = vectorText('crypt4gh', 'bob.sec');
  await assert.rejects(parseSecretKey(nodeCrypto, bobText, 'wrong'), isAppError('KEY_NOT_HELD'));
  await assert.rejects(parseSecretKey(nodeCrypto, bobText), isAppError('KEY_NOT_HELD'));
});

const python = spawnSync('python3', ['-c', 'import crypt4gh']);
const skip = python.status === 0 ? false : 'the Python package crypt4gh is not installed';

/** What the other implementation makes of a file; its complaint where it makes nothing. */
function readByPython(file: Uint8Array, name: string): Uint8Array | string {
  const folder = mkdtempSync(join(tmpdir(), 'helixmesh-crypt4gh-'));
  try {
    const key = join(folder, 'key');
    writeFileSync(key, vectorText('crypt4gh', `${name}.sec`));
    const env = { ...process.env, C4GH_PASSPHRASE: expected.passphrase };
    const args = ['-m', 'crypt4gh', 'decrypt', '--sk', key];
    const result = spawnSync('python3', args, { input: file, env, maxBuffer: 2 ** 24 });
    return result.status === 0 ? Uint8Array.from(result.stdout) : result.stderr.toString();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the other implementation decrypts what we encrypt, rewrap and edit', { skip }, async () => {
  const plaintext = knownBytes(SEGMENT_BYTES + 77);
  const dataKeys = [nodeCrypto.random(32), nodeCrypto.random(32)];
  const keyFor = (index: number) => dataKeys[index] ?? new Uint8Array(0);
  const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 999), keyFor));
  const header = sealHeader(nodeCrypto, { dataKeys }, [alice.publicKey, bob.publicKey]);
  const file = Buffer.concat([header, body]);
  assert.deepEqual(readByPython(file, 'alice'), plaintext);
  assert.deepEqual(readByPython(file, 'bob'), plaintext);
  assert.equal(typeof readByPython(file, 'carol'), 'string');

  const keys = { reader: alice, recipients: [carol.publicKey] };
  const rewrapped = Buffer.concat([rewrapHeader(nodeCrypto, header, keys), body]);
  assert.deepEqual(readByPython(rewrapped, 'carol'), plaintext);
  assert.equal(typeof readByPython(rewrapped, 'alice'), 'string');

  const edited = { dataKeys, editList: [10, 20, 65_500, 30] };
  const trimmed = sealHeader(nodeCrypto, edited, [alice.publicKey]);
  assert.deepEqual(
    readByPython(Buffer.concat([trimmed, body]), 'alice'),
    Uint8Array.from([...plaintext.subarray(10, 30), ...plaintext.subarray(65_530, 65_560)]),
  );
});

test('the other implementation reads a region grant, and only that', { skip }, async () => {
  const border = GROUP_SEGMENTS * SEGMENT_BYTES;
  const plaintext = nodeCrypto.random(border + SEGMENT_BYTES + 100);
  const { keys, keyOf: groupKey } = makeGroupKeys(nodeCrypto);
  const body = await collect(encryptBody(nodeCrypto, inChunks(plaintext, 2 ** 20), groupKey));
  const regions = [
    { start: border - 300, end: border + 200 },
    { start: 70, end: 90 },
  ];
  const grant = sealRegionHeader(nodeCrypto, {
    groupKeys: keys,
    plaintextBytes: plaintext.length,
    regions,
    recipients: [alice.publicKey],
  });
  const served = grant.segments.map((range) => {
    const { start, end } = bodyRange(range, body.length);
    return body.subarray(start, end);
  });
  assert.deepEqual(
    readByPython(Buffer.concat([grant.header, ...served]), 'alice'),
    Uint8Array.from([
      ...plaintext.subarray(70, 90),
      ...plaintext.subarray(border - 300, border + 200),
    ]),
  );
  const first = { start: 70, end: 90 };
  const small = sealRegionHeader(nodeCrypto, {
    groupKeys: keys,
    plaintextBytes: plaintext.length,
    regions: [first],
    recipients: [alice.publicKey],
  });
  const beyond = body.subarray(GROUP_SEGMENTS * ENCRYPTED_SEGMENT_BYTES);
  const stolen = Buffer.concat([small.header, beyond]);
  assert.match(String(readByPython(stolen, 'alice')), /Could not decrypt/);
});
