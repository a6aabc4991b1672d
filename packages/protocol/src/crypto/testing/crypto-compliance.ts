/** What every adapter of the Crypto port must do: published vectors, and what must fail. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519';
import { concatBytes, toHex, utf8 } from '../../bytes.ts';
import { AppError } from '../../errors.ts';
import { aeadSeal, type Crypto } from '../port.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** Order of secp256k1. */
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export function checkCrypto(name: string, crypto: Crypto): void {
  describe(`the Crypto port, ${name}`, () => {
    checkHashes(crypto);
    checkAead(crypto);
    checkX25519(crypto);
    checkEd25519(crypto);
    checkSecp256k1(crypto);
    checkRest(crypto);
  });
}

function checkHashes(crypto: Crypto): void {
  test('hashes the published examples', () => {
    const abc = utf8('abc');
    assert.equal(
      toHex(crypto.sha256(abc)),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    const hasher = crypto.createSha256();
    hasher.update(utf8('a'));
    hasher.update(utf8('bc'));
    assert.deepEqual(hasher.digest(), crypto.sha256(abc));
    assert.equal(
      toHex(crypto.blake2b512(abc)),
      'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
        '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
    );
    assert.equal(
      toHex(crypto.keccak256(new Uint8Array(0))),
      'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    );
  });

  test('stretches a passphrase as RFC 7914 §12 does', async () => {
    const key = await crypto.scrypt({
      passphrase: utf8('pleaseletmein'),
      salt: utf8('SodiumChloride'),
      n: 16384,
      r: 8,
      p: 1,
      bytes: 32,
    });
    assert.equal(toHex(key), '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2');
  });
}

function checkAead(crypto: Crypto): void {
  const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
  const nonce = hex('070000004041424344454647');
  const aad = hex('50515253c0c1c2c3c4c5c6c7');
  const plaintext = utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the " +
      'future, sunscreen would be it.',
  );

  test('seals as RFC 8439 §2.8.2 does, and opens it', () => {
    const sealed = aeadSeal(crypto, { key, nonce, plaintext, aad });
    assert.equal(toHex(sealed.subarray(0, 16)), 'd31a8d34648e60db7b86afbc53ef7ec2');
    assert.equal(toHex(sealed.subarray(-16)), '1ae10b594f09e26a7e902ecbd0600691');
    assert.deepEqual(crypto.aeadOpen({ key, nonce, sealed, aad }), plaintext);
  });

  test('opens nothing when a bit of anything differs', () => {
    const sealed = aeadSeal(crypto, { key, nonce, plaintext, aad });
    for (let at = 0; at < sealed.length; at += 1) {
      assert.equal(crypto.aeadOpen({ key, nonce, aad, sealed: flipped(sealed, at) }), undefined);
    }
    assert.equal(crypto.aeadOpen({ key: flipped(key, 0), nonce, sealed, aad }), undefined);
    assert.equal(crypto.aeadOpen({ key, nonce: flipped(nonce, 11), sealed, aad }), undefined);
    assert.equal(crypto.aeadOpen({ key, nonce, sealed, aad: flipped(aad, 3) }), undefined);
    assert.equal(crypto.aeadOpen({ key, nonce, sealed }), undefined);
    for (const length of [0, 15, 16, sealed.length - 1]) {
      const cut = sealed.subarray(0, length);
      assert.equal(crypto.aeadOpen({ key, nonce, sealed: cut, aad }), undefined);
    }
  });

  test('seals nothing and opens it again', () => {
    const sealed = aeadSeal(crypto, { key, nonce, plaintext: new Uint8Array(0) });
    assert.equal(sealed.length, 16);
    assert.deepEqual(crypto.aeadOpen({ key, nonce, sealed }), new Uint8Array(0));
  });
}

function checkX25519(crypto: Crypto): void {
  const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
  const alicePublic = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');

  test('agrees on keys as RFC 7748 §6.1 does', () => {
    assert.equal(
      toHex(crypto.x25519PublicKey(bob)),
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    );
    assert.equal(
      toHex(crypto.x25519(bob, alicePublic) ?? new Uint8Array(0)),
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
  });

  test('refuses public keys that give a shared secret of zeros', () => {
    const smallOrder = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      `ec${'ff'.repeat(30)}7f`,
    ];
    for (const key of smallOrder) assert.equal(crypto.x25519(bob, hex(key)), undefined, key);
  });
}

function checkEd25519(crypto: Crypto): void {
  const secret = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  const publicKey = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const message = hex('72');
  const signature = hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );

  test('signs as RFC 8032 §7.1 does, and verifies it', () => {
    assert.deepEqual(crypto.ed25519PublicKey(secret), publicKey);
    assert.deepEqual(crypto.ed25519Sign(secret, message), signature);
    assert.equal(crypto.ed25519Verify(publicKey, message, signature), true);
  });

  test('verifies nothing else', () => {
    for (let at = 0; at < signature.length; at += 1) {
      assert.equal(crypto.ed25519Verify(publicKey, message, flipped(signature, at)), false);
    }
    assert.equal(crypto.ed25519Verify(publicKey, hex('73'), signature), false);
    assert.equal(crypto.ed25519Verify(flipped(publicKey, 0), message, signature), false);
    assert.equal(crypto.ed25519Verify(publicKey, message, signature.subarray(1)), false);
    assert.equal(crypto.ed25519Verify(publicKey.subarray(1), message, signature), false);
  });

  test('verifies no signature whose s was raised by the group order', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = [...signature.subarray(32)].reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    const twin = Uint8Array.from({ length: 32 }, (_, i) =>
      Number(((s + order) >> BigInt(8 * i)) & 255n),
    );
    const forged = concatBytes(signature.subarray(0, 32), twin);
    assert.equal(crypto.ed25519Verify(publicKey, message, forged), false);
  });

  test('verifies nothing for public keys of small order or not reduced', () => {
    // With such a key R = A·0 + identity and s = 0 satisfy the equation for every eighth message.
    const identity = concatBytes(hex('01'), new Uint8Array(63));
    const weak = [...ED25519_TORSION_SUBGROUP, `ee${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(31)}`];
    for (const key of weak) {
      for (let message = 0; message < 32; message += 1) {
        const verified = crypto.ed25519Verify(hex(key), Uint8Array.of(message), identity);
        assert.equal(verified, false, key);
      }
    }
  });
}

function checkSecp256k1(crypto: Crypto): void {
  const secret = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
  const digest = crypto.sha256(utf8('a digest'));

  test('derives the address of a known wallet', () => {
    const address = crypto.keccak256(crypto.secp256k1PublicKey(secret)).subarray(12);
    assert.equal(toHex(address), 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  });

  test('recovers the signer, and another or none when a bit differs', () => {
    const publicKey = crypto.secp256k1PublicKey(secret);
    const signed = crypto.secp256k1Sign(secret, digest);
    assert.deepEqual(crypto.secp256k1Recover(digest, signed), publicKey);
    for (let at = 0; at < 64; at += 1) {
      const signature = flipped(signed.signature, at);
      const other = crypto.secp256k1Recover(digest, { ...signed, signature });
      assert.notDeepEqual(other, publicKey);
    }
    assert.notDeepEqual(crypto.secp256k1Recover(flipped(digest, 5), signed), publicKey);
  });

  test('refuses the twin of a signature with s in the upper half', () => {
    const signed = crypto.secp256k1Sign(secret, digest);
    const s = BigInt(`0x${toHex(signed.signature.subarray(32))}`);
    const twinS = hex((SECP256K1_ORDER - s).toString(16).padStart(64, '0'));
    const signature = concatBytes(signed.signature.subarray(0, 32), twinS);
    const recovery = signed.recovery === 0 ? 1 : 0;
    assert.equal(crypto.secp256k1Recover(digest, { signature, recovery }), undefined);
  });

  test('recovers nothing from numbers out of range', () => {
    for (const fill of [0x00, 0xff]) {
      const signature = new Uint8Array(64).fill(fill);
      assert.equal(crypto.secp256k1Recover(digest, { signature, recovery: 0 }), undefined);
    }
    const short = new Uint8Array(63);
    assert.equal(crypto.secp256k1Recover(digest, { signature: short, recovery: 0 }), undefined);
  });
}

function checkRest(crypto: Crypto): void {
  test('compares bytes, and gives other random bytes each time', () => {
    assert.equal(crypto.equal(hex('0102'), hex('0102')), true);
    assert.equal(crypto.equal(hex('0102'), hex('0103')), false);
    assert.equal(crypto.equal(hex('0102'), hex('01')), false);
    assert.equal(crypto.random(32).length, 32);
    assert.notDeepEqual(crypto.random(32), crypto.random(32));
    const many = crypto.random(150_000);
    assert.equal(many.length, 150_000);
    assert.ok(many.subarray(-32).some((byte) => byte !== 0));
  });

  test('takes keys of 32 bytes only', () => {
    const short = new Uint8Array(31);
    const calls = [
      () => crypto.x25519PublicKey(short),
      () => crypto.ed25519Sign(short, short),
      () => crypto.secp256k1PublicKey(short),
      () => crypto.aeadOpen({ key: short, nonce: short.subarray(0, 12), sealed: short }),
    ];
    for (const call of calls) {
      assert.throws(call, (error) => error instanceof AppError && error.code === 'INTERNAL');
    }
  });
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
