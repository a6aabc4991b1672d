/** Shared by the tests of this package: bytes that are told apart, and all of a stream. */

/** `size` bytes that do not repeat within a block; other sizes and seeds begin otherwise. */
export function someBytes(size: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (size * 2_654_435_761 + seed * 40_503 + 1) >>> 0;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Everything that an iterable gives. */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
