import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, toBase64, utf8 } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { makeX25519KeyPair } from '../crypto/port.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { isAppError, rejectsOnlyAppError, throwsOnlyAppError } from '../testing/bytes.ts';
import { formatPublicKey, formatSecretKey, parsePublicKey, parseSecretKey } from './key-file.ts';

const pair = makeX25519KeyPair(nodeCrypto);

test('keys come back from their files', async () => {
  assert.deepEqual(parsePublicKey(formatPublicKey(pair.publicKey)), pair.publicKey);
  const open = await formatSecretKey(nodeCrypto, pair.secretKey);
  assert.deepEqual(await parseSecretKey(nodeCrypto, open), pair);
  const locked = await formatSecretKey(nodeCrypto, pair.secretKey, 'a passphrase, ñ');
  assert.deepEqual(await parseSecretKey(portableCrypto, locked, 'a passphrase, ñ'), pair);
  await assert.rejects(parseSecretKey(nodeCrypto, locked, 'another'), isAppError('KEY_NOT_HELD'));
  await assert.rejects(parseSecretKey(nodeCrypto, locked), isAppError('KEY_NOT_HELD'));
});

test('line breaks of other systems and blank lines do not matter', () => {
  const text = `\r\n${formatPublicKey(pair.publicKey).replaceAll('\n', '\r\n\r\n')}`;
  assert.deepEqual(parsePublicKey(text), pair.publicKey);
});

test('files that are something else are refused without showing what is in them', async () => {
  const secret = await formatSecretKey(nodeCrypto, pair.secretKey);
  const base64 = secret.split('\n')[1] ?? '';
  const wrong = [
    '',
    formatPublicKey(pair.publicKey),
    secret.replace(base64, base64.slice(4)),
    secret.replace(base64, base64.slice(0, -8)),
    secret.replace(base64, `${base64.slice(0, 40)}!${base64.slice(41)}`),
    secret.replace('-----END', '-----BEGIN'),
    secret + ' '.repeat(5000),
  ];
  for (const text of wrong) {
    await assert.rejects(parseSecretKey(nodeCrypto, text), (error: Error) => {
      assert.ok(!error.message.includes(base64.slice(20, 40)));
      return isAppError('INPUT_WRONG_FORMAT', 'INPUT_MALFORMED')(error);
    });
  }
  assert.throws(() => parsePublicKey(secret), isAppError('INPUT_WRONG_FORMAT'));
  const short = formatPublicKey(pair.publicKey.subarray(1));
  assert.throws(() => parsePublicKey(short), isAppError('INPUT_MALFORMED'));
});

test('a protected key without a salt is refused', async () => {
  const field = (bytes: Uint8Array) => concatBytes(Uint8Array.of(0, bytes.length), bytes);
  const record = concatBytes(
    utf8('c4gh-v1'),
    field(utf8('scrypt')),
    field(new Uint8Array(4)),
    field(utf8('chacha20_poly1305')),
    field(new Uint8Array(60)),
  );
  const title = 'CRYPT4GH PRIVATE KEY';
  const file = `-----BEGIN ${title}-----\n${toBase64(record)}\n-----END ${title}-----`;
  await assert.rejects(parseSecretKey(nodeCrypto, file, 'x'), isAppError('INPUT_MALFORMED'));
});

test('any text or record throws at most an AppError', async () => {
  const frame = (title: string, bytes: Uint8Array) =>
    `-----BEGIN ${title}-----\n${toBase64(bytes)}\n-----END ${title}-----`;
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.uint8Array({ maxLength: 200 }), async (text, bytes) => {
      throwsOnlyAppError(() => parsePublicKey(text));
      throwsOnlyAppError(() => parsePublicKey(frame('CRYPT4GH PUBLIC KEY', bytes)));
      const record = Buffer.concat([Buffer.from('c4gh-v1'), bytes]);
      const file = frame('CRYPT4GH PRIVATE KEY', record);
      await rejectsOnlyAppError(() => parseSecretKey(nodeCrypto, file, 'x'));
    }),
  );
});
