/**
 * Another ciphertext with the same nonce and tag, made with the key in hand: Poly1305 authenticates
 * against those who lack the key, it commits to nothing (RFC 8439 §2.5). Shows what a Merkle leaf of
 * nonce and tag cannot promise.
 */
import type { Crypto } from '../crypto/port.ts';
import { aeadSeal } from '../crypto/port.ts';

const P = 2n ** 130n - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
const BLOCK = 16;

/** `lie` sealed under the nonce and tag of `segment`, but for 16 bytes in the middle of it. */
export function forgeSegment(
  crypto: Crypto,
  key: Uint8Array,
  segment: Uint8Array,
  lie: Uint8Array,
): Uint8Array {
  const nonce = segment.slice(0, 12);
  const tag = numberOf(segment.subarray(-BLOCK));
  for (let attempt = 0; attempt < 256; attempt += 1) {
    const plaintext = lie.slice();
    plaintext[plaintext.length - 1] = attempt;
    const sealed = aeadSeal(crypto, { key, nonce, plaintext });
    const ciphertext = sealed.subarray(0, plaintext.length);
    const { r, s } = oneTimeKey(key, nonce);
    const free = Math.floor(plaintext.length / BLOCK / 2);
    const block = freeBlock(ciphertext, { r, free, wanted: tag - s });
    if (block === undefined) continue;
    const forged = segment.slice();
    forged.set(ciphertext, nonce.length);
    forged.set(block, nonce.length + free * BLOCK);
    return forged;
  }
  throw new RangeError('no forgery found');
}

/** The block at place `free` with which the polynomial comes to `wanted` modulo 2^128. */
function freeBlock(
  ciphertext: Uint8Array,
  { r, free, wanted }: { r: bigint; free: number; wanted: bigint },
): Uint8Array | undefined {
  const blocks: bigint[] = [];
  for (let at = 0; at < ciphertext.length; at += BLOCK) {
    const block = new Uint8Array(BLOCK);
    block.set(ciphertext.subarray(at, at + BLOCK));
    blocks.push(numberOf(block) + 2n ** 128n);
  }
  const lengths = new Uint8Array(BLOCK);
  new DataView(lengths.buffer).setBigUint64(8, BigInt(ciphertext.length), true);
  blocks.push(numberOf(lengths) + 2n ** 128n);
  blocks[free] = 0n;
  let rest = 0n;
  for (const block of blocks) rest = ((rest + block) * r) % P;
  const inverse = power(power(r, BigInt(blocks.length - free)), P - 2n);
  for (let carry = 0n; carry < 4n; carry += 1n) {
    const accumulator = (((wanted % 2n ** 128n) + 2n ** 128n) % 2n ** 128n) + carry * 2n ** 128n;
    if (accumulator >= P) break;
    const block = ((((accumulator - rest) * inverse) % P) + P) % P;
    if (block >= 2n ** 128n && block < 2n ** 129n) return bytesOf(block - 2n ** 128n);
  }
  return undefined;
}

/** r and s of RFC 8439 §2.6. */
function oneTimeKey(key: Uint8Array, nonce: Uint8Array) {
  const stream = keystreamBlockZero(key, nonce);
  return { r: numberOf(stream.subarray(0, 16)) & CLAMP, s: numberOf(stream.subarray(16, 32)) };
}

/** ChaCha20 block with counter 0 (RFC 8439 §2.3): the AEAD never shows it. */
function keystreamBlockZero(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const start = new Uint8Array(64);
  start.set(new TextEncoder().encode('expand 32-byte k'));
  start.set(key, 16);
  start.set(nonce, 52);
  const initial = new Uint32Array(start.buffer);
  const x = initial.slice();
  for (let round = 0; round < 10; round += 1) {
    for (const [a, b, c, d] of QUARTERS) quarter(x, [a, b, c, d]);
  }
  return new Uint8Array(x.map((word, i) => word + (initial[i] ?? 0)).buffer);
}

type Four = readonly [number, number, number, number];
const QUARTERS: readonly Four[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

function quarter(x: Uint32Array, [a, b, c, d]: Four): void {
  const at = (i: number) => x[i] ?? 0;
  const mix = (to: number, add: number, turn: number, by: number) => {
    x[to] = at(to) + at(add);
    const mixed = at(turn) ^ at(to);
    x[turn] = (mixed << by) | (mixed >>> (32 - by));
  };
  mix(a, b, d, 16);
  mix(c, d, b, 12);
  mix(a, b, d, 8);
  mix(c, d, b, 7);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: BLOCK }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
