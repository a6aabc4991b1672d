/**
 * Which 32 bytes may serve as an Ed25519 public key. A key of small order verifies one signature
 * for many messages, and libraries disagree on coordinates that are not reduced, so both are refused
 * before a library sees them.
 */
import { toHex } from '../bytes.ts';
import { KEY_BYTES } from './port.ts';

/** y of the points of order 1, 2, 4 and 8 on edwards25519, little-endian, sign bit cleared. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** True for a reduced y (below 2^255 − 19) that is not of small order; it may still lie off the curve. */
export function isUsableEd25519Key(publicKey: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES) return false;
  const y = publicKey.slice();
  y[KEY_BYTES - 1] = (y[KEY_BYTES - 1] ?? 0) & 0x7f;
  const isReduced =
    (y[0] ?? 0) < 0xed || y[KEY_BYTES - 1] !== 0x7f || y.subarray(1, -1).some((b) => b !== 0xff);
  return isReduced && !SMALL_ORDER_Y.has(toHex(y));
}
