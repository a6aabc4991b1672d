import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { concatBytes, fromHex, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { portableCrypto } from '../crypto/portable-crypto.ts';
import { digestFrom } from '../digest.ts';
import type { Digest } from '../ids.ts';
import { lengthPrefixed } from '../length-prefix.ts';
import { isAppError, knownBytes, throwsOnlyAppError, vectorText } from '../testing/bytes.ts';
import {
  documentId,
  encodeDocument,
  networkId,
  parseDocument,
  signDocument,
  verifyDocument,
  verifyWithKey,
} from './document.ts';
import { type EncryptionKey, parseEncryptionKey } from './encryption-key.ts';
import { type Grant, grantSchema, parseGrant } from './grant.ts';
import { parseHeadAttestation } from './revocation.ts';
import { personalMessageHash, recoverAddress, walletOf } from './wallet.ts';

interface Vectors {
  readonly lengthPrefixed: readonly {
    readonly fields: readonly string[];
    readonly bytes: string;
  }[];
  readonly genesis: unknown;
  readonly network: Digest;
  readonly grant: { readonly document: Grant; readonly canonical: string; readonly id: Digest };
  readonly notTheId: Readonly<Record<string, Digest>>;
  readonly attestation: {
    readonly publicKey: string;
    readonly cases: readonly {
      readonly bytes: string;
      readonly isValid: boolean;
      readonly why: string;
    }[];
  };
}
const vectors = JSON.parse(vectorText('documents.json')) as Vectors;

interface WalletVectors {
  readonly secretKey: string;
  readonly address: string;
  readonly cases: readonly {
    readonly message: string;
    readonly hash: string;
    readonly signature: string;
    readonly isValid: boolean;
    readonly why: string;
  }[];
}
const wallets = JSON.parse(vectorText('wallet.json')) as WalletVectors;
const wallet = walletOf(nodeCrypto, fromHex(wallets.secretKey, { what: 'a key', bytes: 32 }));

test('length prefixes keep apart what joining does not', () => {
  for (const { fields, bytes } of vectors.lengthPrefixed) {
    const raw = fields.map((field) => Uint8Array.from(Buffer.from(field, 'hex')));
    assert.equal(toHex(lengthPrefixed(...raw)), bytes);
  }
  const fields = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 4 });
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const isSame = a.length === b.length && a.every((x, i) => Buffer.from(x).equals(b[i] ?? x));
      assert.equal(toHex(lengthPrefixed(...a)) === toHex(lengthPrefixed(...b)), isSame);
    }),
  );
});

test('networks and documents have the ids of another implementation', () => {
  const { document, canonical, id } = vectors.grant;
  assert.equal(networkId(nodeCrypto, vectors.genesis), vectors.network);
  assert.deepEqual(encodeDocument(document), utf8(canonical));
  assert.deepEqual(grantSchema.parse(document), document);
  for (const crypto of [nodeCrypto, portableCrypto]) {
    assert.equal(documentId(crypto, document), id);
  }
  for (const [why, other] of Object.entries(vectors.notTheId)) assert.notEqual(id, other, why);
});

test('a wallet signs what viem signs, and only that is accepted', async () => {
  assert.equal(wallet.address, wallets.address);
  assert.ok(wallets.cases.length >= 12);
  for (const { message, hash, signature, isValid, why } of wallets.cases) {
    const bytes = utf8(message);
    assert.equal(`0x${toHex(personalMessageHash(nodeCrypto, bytes))}`, hash);
    if (isValid) assert.equal(await wallet.signMessage(bytes), signature, why);
    for (const crypto of [nodeCrypto, portableCrypto]) {
      const signer = recoverAddress(crypto, bytes, signature);
      assert.equal(signer === wallet.address, isValid, why);
    }
  }
});

test('text that is no signature is refused, whatever it is', () => {
  const message = utf8('hello');
  for (const text of ['', '0x', 'ab'.repeat(65), `0x${'AB'.repeat(65)}`, `0x${'ab'.repeat(66)}`]) {
    const recover = () => recoverAddress(nodeCrypto, message, text);
    assert.throws(recover, isAppError('INPUT_MALFORMED'));
  }
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ minLength: 65, maxLength: 65 }), (text, bytes) => {
      throwsOnlyAppError(() => recoverAddress(nodeCrypto, message, text));
      throwsOnlyAppError(() => recoverAddress(nodeCrypto, message, `0x${toHex(bytes)}`));
    }),
  );
});

test('a signed document holds for its signer in its network, and its id is not of the signature', async () => {
  const { document, id } = vectors.grant;
  const signed = await signDocument(wallet, document);
  const inVector = wallets.cases.find(({ message }) => message.startsWith(document.type));
  assert.equal(signed.signature, inVector?.signature);
  const expected = { network: vectors.network, signer: document.owner };
  const parsed = parseGrant(encodeDocument(signed));
  assert.deepEqual(verifyDocument(nodeCrypto, parsed, expected), { status: 'valid', id });

  const invalid = (reason: string) => ({ status: 'invalid', reason });
  const another = { ...expected, signer: document.grantee };
  assert.deepEqual(verifyDocument(nodeCrypto, parsed, another), invalid('signature'));
  const elsewhere = { ...expected, network: digestFrom(knownBytes(32)) };
  assert.deepEqual(verifyDocument(nodeCrypto, parsed, elsewhere), invalid('network'));
  for (const change of [{ untilMs: null }, { regions: null }, { grantee: document.owner }]) {
    const lie = { ...signed, document: { ...document, ...change } };
    assert.deepEqual(verifyDocument(nodeCrypto, lie, expected), invalid('signature'));
  }
});

test('a signature for one kind of document is none for another', async () => {
  const statement: EncryptionKey = {
    type: 'helixmesh/encryption-key/v1',
    network: vectors.network,
    account: wallet.address,
    publicKey: toHex(knownBytes(32)),
    issuedAtMs: 1_700_000_000_000,
    nonce: toHex(knownBytes(16)),
  };
  const signed = await signDocument(wallet, statement);
  const parsed = parseEncryptionKey(encodeDocument(signed));
  const expected = { network: vectors.network, signer: wallet.address };
  assert.equal(verifyDocument(nodeCrypto, parsed, expected).status, 'valid');
  const asGrant = { ...parsed, document: { ...statement, type: 'helixmesh/grant/v1' } };
  assert.equal(verifyDocument(nodeCrypto, asGrant, expected).status, 'invalid');
  assert.throws(() => parseGrant(encodeDocument(signed)), isAppError('INPUT_MALFORMED'));
});

test('documents signed by an Ed25519 key are as another implementation makes them', () => {
  const { cases, publicKey } = vectors.attestation;
  const key = fromHex(publicKey, { what: 'a key', bytes: 32 });
  const expected = { network: vectors.network, publicKey: key };
  assert.ok(cases.some(({ isValid }) => isValid) && cases.length > 5);
  for (const { bytes, isValid, why } of cases) {
    const verdict = verifyWithKey(nodeCrypto, parseHeadAttestation(utf8(bytes)), expected);
    assert.equal(verdict.status === 'valid', isValid, why);
  }
});

test('a document is refused for its length, half characters and another spelling', () => {
  const schema = z.strictObject({ note: z.string() });
  const parse = (text: string, maxBytes = 100) =>
    parseDocument(schema, utf8(text), { what: 'a note', maxBytes });
  const text = '{"note":"a\u00f1b"}';
  assert.deepEqual(parse(text), { note: 'a\u00f1b' });
  const wrong: readonly (() => unknown)[] = [
    () => parse(text, utf8(text).length - 1),
    () => parse('{"note":"\\ud800"}'),
    () => parse('{"note":"a\\u00f1b"}'),
    () => parse('{"note": "a"}'),
    () => parse('{"note":"a"}\n'),
    () => parse('{"note":"a","note":"a"}'),
    () => parse('\ufeff{"note":"a"}'),
  ];
  for (const attempt of wrong) assert.throws(attempt, isAppError('INPUT_MALFORMED'));
});

test('any bytes as a signed document throw at most an AppError', () => {
  const head = utf8('{"document":');
  fc.assert(
    fc.property(fc.uint8Array(), fc.jsonValue(), (bytes, json) => {
      for (const parse of [parseGrant, parseEncryptionKey, parseHeadAttestation]) {
        throwsOnlyAppError(() => parse(bytes));
        throwsOnlyAppError(() => parse(concatBytes(head, bytes)));
        throwsOnlyAppError(() => parse(utf8(JSON.stringify({ document: json, signature: json }))));
      }
    }),
  );
  const fields = fc.constantFrom(...Object.keys(vectors.grant.document));
  fc.assert(
    fc.property(fields, fc.jsonValue(), (field, json) => {
      const document = { ...vectors.grant.document, [field]: json };
      const signature = `0x${'0'.repeat(130)}`;
      throwsOnlyAppError(() => parseGrant(utf8(JSON.stringify({ document, signature }))));
    }),
  );
});
