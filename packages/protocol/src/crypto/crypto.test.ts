import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519';
import fc from 'fast-check';
import { isUsableEd25519Key } from './ed25519-key.ts';
import { nodeCrypto } from './node-crypto.ts';
import { aeadSeal } from './port.ts';
import { portableCrypto } from './portable-crypto.ts';
import { checkCrypto } from './testing/crypto-compliance.ts';

checkCrypto('node:crypto', nodeCrypto);
checkCrypto('portable', portableCrypto);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('the twins answer the same for the same bytes', () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), bytes(12), fc.uint8Array(), (a, b, nonce, data) => {
      assert.deepEqual(nodeCrypto.sha256(data), portableCrypto.sha256(data));
      assert.deepEqual(nodeCrypto.blake2b512(data), portableCrypto.blake2b512(data));
      const seal = { key: a, nonce, plaintext: data, aad: b };
      assert.deepEqual(aeadSeal(nodeCrypto, seal), aeadSeal(portableCrypto, seal));
      assert.deepEqual(nodeCrypto.x25519PublicKey(a), portableCrypto.x25519PublicKey(a));
      assert.deepEqual(nodeCrypto.x25519(a, b), portableCrypto.x25519(a, b));
      assert.deepEqual(nodeCrypto.ed25519Sign(a, data), portableCrypto.ed25519Sign(a, data));
    }),
    { numRuns: 25 },
  );
});

test('public keys of small order or with a coordinate that is not reduced are not usable', () => {
  const key = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
  for (const torsion of ED25519_TORSION_SUBGROUP) {
    assert.equal(isUsableEd25519Key(key(torsion)), false, torsion);
    const otherSign = key(torsion);
    otherSign[31] = (otherSign[31] ?? 0) ^ 0x80;
    assert.equal(isUsableEd25519Key(otherSign), false, torsion);
  }
  const middle = 'ff'.repeat(30);
  // 2^255 − 19 is ed ff … ff 7f: from there on y has a smaller spelling.
  for (const low of ['ed', 'ee', 'f0', 'ff']) {
    assert.equal(isUsableEd25519Key(key(`${low}${middle}7f`)), false, low);
    assert.equal(isUsableEd25519Key(key(`${low}${middle}ff`)), false, low);
  }
  assert.equal(isUsableEd25519Key(key(`eb${middle}7f`)), true);
  assert.equal(isUsableEd25519Key(key(`ed${'ff'.repeat(29)}fe7f`)), true);
  assert.equal(isUsableEd25519Key(nodeCrypto.ed25519PublicKey(nodeCrypto.random(32))), true);
  assert.equal(isUsableEd25519Key(new Uint8Array(31).fill(5)), false);
});
