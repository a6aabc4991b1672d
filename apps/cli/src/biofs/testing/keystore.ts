/** Keystores for tests. */
import { createCipheriv } from 'node:crypto';
import { nodeCrypto } from '@helixmesh/protocol/node';
import { concatBytes, fromHex, toHex, utf8 } from '@helixmesh/protocol/sealing';

/** The part `crypto` of a keystore as wallets write it (scrypt, blocks of 8), cheaper than theirs. */
export async function keystoreCrypto(keyHex: string, passphrase: string) {
  const secret = fromHex(keyHex, { what: 'a key', bytes: 32 });
  const [salt, iv] = [nodeCrypto.random(32), nodeCrypto.random(16)];
  const cost = { n: 4096, r: 8, p: 1 };
  const asked = { ...cost, passphrase: utf8(passphrase), salt, bytes: 32 };
  const derived = await nodeCrypto.scrypt(asked);
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Uint8Array.from(cipher.update(secret));
  return {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: toHex(iv) },
    ciphertext: toHex(ciphertext),
    kdf: 'scrypt',
    kdfparams: { ...cost, dklen: 32, salt: toHex(salt) },
    mac: toHex(nodeCrypto.keccak256(concatBytes(derived.subarray(16), ciphertext))),
  };
}
