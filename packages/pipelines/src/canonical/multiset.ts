/**
 * An order-free digest of a multiset in constant memory: LtHash with 1024 lanes of 16 bits (Lewi et
 * al. 2019, "Securing Update Propagation with Homomorphic Hashing"), SHAKE128 as its expansion.
 * Adding 256-bit hashes modulo 2^256 instead would fall to Wagner's generalized birthday attack.
 */
import { createHash } from 'node:crypto';

const LANES = 1024;

export class MultisetHash {
  readonly #lanes = new Uint16Array(LANES);
  #count = 0;

  add(element: Uint8Array): void {
    const expanded = createHash('shake128', { outputLength: LANES * 2 })
      .update(element)
      .digest();
    for (let i = 0; i < LANES; i++) {
      const lane = (expanded[2 * i] ?? 0) | ((expanded[2 * i + 1] ?? 0) << 8);
      this.#lanes[i] = (this.#lanes[i] ?? 0) + lane;
    }
    this.#count++;
  }

  /** Ones (as an impossible length), the count and SHA-256 over the lanes: 44 bytes. */
  digest(): Buffer {
    const head = Buffer.alloc(12, 0xff);
    head.writeBigUInt64LE(BigInt(this.#count), 4);
    const state = Buffer.alloc(LANES * 2);
    for (const [i, lane] of this.#lanes.entries()) state.writeUInt16LE(lane, 2 * i);
    return Buffer.concat([head, createHash('sha256').update(state).digest()]);
  }
}
