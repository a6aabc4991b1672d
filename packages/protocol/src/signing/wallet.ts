/**
 * Ethereum wallets: personal messages (EIP-191 version 0x45) and the account that signed them.
 *
 * Invariants
 * W1  One message and one account have one accepted signature from one nonce: s in the lower half
 *     of the group order, v 27 or 28. The twin that anybody can compute is refused.
 */
import { z } from 'zod';
import { concatBytes, fromHex, toHex, utf8 } from '../bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { AppError } from '../errors.ts';

/** r, s and v as `0x` and 130 lower-case hex digits. */
export const walletSignatureSchema = z.string().regex(/^0x[0-9a-f]{130}$/);

const PERSONAL_MESSAGE = '\x19Ethereum Signed Message:\n';
const ADDRESS_BYTES = 20;
/** v of an uncompressed key with even y; 28 for odd (Ethereum yellow paper, appendix F). */
const V_EVEN = 27;

/** Whoever holds a wallet: a key in memory, a keystore, a browser's wallet. */
export interface WalletSigner {
  /** In lower case. */
  readonly address: string;
  /** The EIP-191 signature of a personal message, as `walletSignatureSchema` describes it. */
  signMessage(message: Uint8Array): Promise<string>;
}

/** A wallet whose key is in memory. */
export function walletOf(crypto: Crypto, secretKey: Uint8Array): WalletSigner {
  return {
    address: addressOf(crypto, crypto.secp256k1PublicKey(secretKey)),
    async signMessage(message) {
      const digest = personalMessageHash(crypto, message);
      const { signature, recovery } = crypto.secp256k1Sign(secretKey, digest);
      return `0x${toHex(signature)}${(V_EVEN + recovery).toString(16)}`;
    },
  };
}

/**
 * The account that signed a personal message; undefined when nobody did. Throws INPUT_MALFORMED for
 * text that is no signature.
 */
export function recoverAddress(
  crypto: Crypto,
  message: Uint8Array,
  signature: string,
): string | undefined {
  if (!signature.startsWith('0x')) {
    throw new AppError('INPUT_MALFORMED', 'a signature does not begin with 0x', {
      hint: 'Give the signature as 0x and 130 lower-case hex digits.',
    });
  }
  const bytes = fromHex(signature.slice(2), { what: 'a signature', bytes: 65 });
  const recovery = (bytes[64] ?? 0) - V_EVEN;
  if (recovery !== 0 && recovery !== 1) return undefined;
  const digest = personalMessageHash(crypto, message);
  const signed = { signature: bytes.subarray(0, 64), recovery } as const;
  const publicKey = crypto.secp256k1Recover(digest, signed);
  return publicKey && addressOf(crypto, publicKey);
}

/** The hash that a wallet signs for a personal message. */
export function personalMessageHash(crypto: Crypto, message: Uint8Array): Uint8Array {
  const head = utf8(`${PERSONAL_MESSAGE}${message.length}`);
  return crypto.keccak256(concatBytes(head, message));
}

function addressOf(crypto: Crypto, publicKey: Uint8Array): string {
  return `0x${toHex(crypto.keccak256(publicKey).subarray(-ADDRESS_BYTES))}`;
}
