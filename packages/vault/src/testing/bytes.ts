/** Shared by the tests of this package: bytes that are told apart, streams of them, expected errors. */
import assert from 'node:assert/strict';
import { AppError, type ErrorCode } from '@helixmesh/protocol';

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

/** `bytes` in pieces of `size`. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

/** A copy with one bit of byte `at` changed. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Matches an AppError with one of `codes`, that says what to do. */
export function isAppError(...codes: readonly ErrorCode[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    assert.ok(error.hint !== undefined, `${error.message} has no hint`);
    return true;
  };
}

/** Everything that an iterable gives. */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
