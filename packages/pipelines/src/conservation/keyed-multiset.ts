/**
 * Compares two multisets in constant memory, for one who has read both: the sum of keyed hashes of
 * their elements, SHA-256 in eight lanes of 32 bits. The key is random and never leaves the process,
 * so that nobody can have chosen elements whose sums agree. A digest that others are to compare needs
 * `canonical/multiset.ts`, which holds without a secret.
 */
import { createHash, randomBytes } from 'node:crypto';

const LANES = 8;
const KEY_BYTES = 32;

export type MultisetKey = Buffer & { readonly __brand: 'MultisetKey' };

export function newMultisetKey(): MultisetKey {
  return randomBytes(KEY_BYTES) as MultisetKey;
}

export class KeyedMultiset {
  readonly #key: MultisetKey;
  readonly #lanes = new Uint32Array(LANES);
  #count = 0;

  constructor(key: MultisetKey) {
    this.#key = key;
  }

  get count(): number {
    return this.#count;
  }

  add(element: Uint8Array): void {
    const hash = createHash('sha256').update(this.#key).update(element).digest();
    for (let i = 0; i < LANES; i++) {
      this.#lanes[i] = (this.#lanes[i] ?? 0) + hash.readUInt32LE(4 * i);
    }
    this.#count++;
  }

  /** Whether the other one, of the same key, has the same elements as often. */
  equals(other: KeyedMultiset): boolean {
    const isSame = this.#lanes.every((lane, i) => lane === other.#lanes[i]);
    return isSame && this.#count === other.#count && this.#key.equals(other.#key);
  }
}
