/** The vectors are those of the definition of Web3 Secret Storage; the passphrase is `testpassword`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { toHex } from '@helixmesh/protocol/sealing';
import { keystoreCrypto } from '../testing/keystore.ts';
import { openKeystore } from './keystore.ts';

const KEY = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
const PASSPHRASE = 'testpassword';

const PBKDF2 = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};

const SCRYPT = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};

type Keystore = typeof PBKDF2 | typeof SCRYPT;

/** The same keystore with other fields in its part `crypto`. */
function changed(keystore: Keystore, changes: object): string {
  return JSON.stringify({ ...keystore, crypto: { ...keystore.crypto, ...changes } });
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.hint !== undefined, 'it says what to do');
    assert.ok(!error.message.includes(KEY.slice(0, 8)), 'it tells nothing of the key');
    return true;
  };
}

for (const keystore of [PBKDF2, SCRYPT] as const) {
  test(`the vector with ${keystore.crypto.kdf} opens`, async () => {
    const key = await openKeystore(nodeCrypto, JSON.stringify(keystore), PASSPHRASE);
    assert.equal(toHex(key), KEY);
  });
}

test('a keystore as wallets write it opens, whatever letters the passphrase has', async () => {
  const text = changed(SCRYPT, await keystoreCrypto(KEY, 'påss wörd'));
  assert.equal(toHex(await openKeystore(nodeCrypto, text, 'påss wörd')), KEY);
});

test('a keystore stays shut for another passphrase and with any bit changed', async () => {
  const good = await keystoreCrypto(KEY, PASSPHRASE);
  const flip = (text: string) => (text.startsWith('5') ? `4${text.slice(1)}` : `5${text.slice(1)}`);
  const salt = { ...good.kdfparams, salt: flip(good.kdfparams.salt) };
  const cases = [
    { ...good, ciphertext: flip(good.ciphertext) },
    { ...good, mac: flip(good.mac) },
    { ...good, kdfparams: salt },
  ];
  const refused = failsWith('KEY_NOT_HELD');
  await assert.rejects(openKeystore(nodeCrypto, changed(SCRYPT, good), 'other'), refused);
  for (const bad of cases) {
    await assert.rejects(openKeystore(nodeCrypto, changed(SCRYPT, bad), PASSPHRASE), refused);
  }
});

test('what a keystore may ask of the machine is bounded', async () => {
  const { kdfparams } = SCRYPT.crypto;
  const greedy = [
    { n: 2 ** 30 },
    { n: 2 ** 20, r: 64 },
    { n: 2 ** 21, p: 1 },
    { p: 2 ** 20 },
    { n: 262_143 },
    { n: 0 },
    { r: 1e9 },
    { dklen: 2 ** 30 },
    { salt: 'a'.repeat(2 ** 20) },
  ].map((changes) => changed(SCRYPT, { kdfparams: { ...kdfparams, ...changes } }));
  const rounds = { kdfparams: { ...PBKDF2.crypto.kdfparams, c: 2 ** 40 } };
  for (const text of [...greedy, changed(PBKDF2, rounds)]) {
    await assert.rejects(openKeystore(nodeCrypto, text, PASSPHRASE), failsWith('INPUT_MALFORMED'));
  }
});

test('what is no keystore of version 3 is refused', async () => {
  const others = [
    '{',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...SCRYPT, version: 1 }),
    changed(SCRYPT, { cipher: 'aes-128-cbc' }),
    changed(SCRYPT, { kdf: 'argon2' }),
    changed(SCRYPT, { ciphertext: 'zz' }),
    changed(PBKDF2, { kdfparams: { ...PBKDF2.crypto.kdfparams, prf: 'hmac-md5' } }),
  ];
  for (const text of others) {
    await assert.rejects(openKeystore(nodeCrypto, text, PASSPHRASE), failsWith('INPUT_MALFORMED'));
  }
});
