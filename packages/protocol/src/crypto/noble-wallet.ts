/** What Ethereum wallets need and node:crypto lacks: Keccak-256 and recoverable secp256k1. */
import { secp256k1 } from '@noble/curves/secp256k1';
import { keccak_256 } from '@noble/hashes/sha3';
import { assertLength, type Crypto, KEY_BYTES } from './port.ts';

type WalletPrimitives = Pick<
  Crypto,
  'keccak256' | 'secp256k1PublicKey' | 'secp256k1Sign' | 'secp256k1Recover'
>;

const DIGEST_BYTES = 32;

export const nobleWallet: WalletPrimitives = {
  keccak256: (data) => keccak_256(data),

  secp256k1PublicKey(secretKey) {
    assertLength(secretKey, KEY_BYTES, 'a secp256k1 secret key');
    return secp256k1.getPublicKey(secretKey, false).slice(1);
  },

  secp256k1Sign(secretKey, digest) {
    assertLength(secretKey, KEY_BYTES, 'a secp256k1 secret key');
    assertLength(digest, DIGEST_BYTES, 'a digest');
    const signed = secp256k1.sign(digest, secretKey, { lowS: true });
    return { signature: signed.toCompactRawBytes(), recovery: signed.recovery === 1 ? 1 : 0 };
  },

  secp256k1Recover(digest, { signature, recovery }) {
    assertLength(digest, DIGEST_BYTES, 'a digest');
    try {
      const parsed = secp256k1.Signature.fromCompact(signature);
      if (parsed.hasHighS()) return undefined;
      return parsed.addRecoveryBit(recovery).recoverPublicKey(digest).toRawBytes(false).slice(1);
    } catch {
      // r or s out of range, or no point with that r: nobody has made this signature.
      return undefined;
    }
  },
};
