import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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
