/** Shared by the tests of the packages: known bytes, streams of them, and what a parser may throw. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type ErrorCode } from '../errors.ts';

const VECTORS = join(import.meta.dirname, '..', '..', 'vectors');

export function vector(...path: readonly string[]): Uint8Array {
  return Uint8Array.from(readFileSync(join(VECTORS, ...path)));
}

export function vectorText(...path: readonly string[]): string {
  return readFileSync(join(VECTORS, ...path), 'utf8');
}

/** SHA-256 of 0, 1, 2, … as u32 big-endian, joined and cut to `size` bytes. */
export function knownBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(size / 32) * 32);
  const counter = Buffer.alloc(4);
  for (let block = 0; block * 32 < size; block += 1) {
    counter.writeUInt32BE(block);
    bytes.set(createHash('sha256').update(counter).digest(), block * 32);
  }
  return bytes.subarray(0, size);
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

/** Runs a parser of outside bytes: it may throw an AppError for the sender's fault, nothing else. */
export function throwsOnlyAppError(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof AppError && error.code !== 'INTERNAL', `${error}`);
  }
}

export async function rejectsOnlyAppError(parse: () => Promise<unknown>): Promise<void> {
  try {
    await parse();
  } catch (error) {
    assert.ok(error instanceof AppError && error.code !== 'INTERNAL', `${error}`);
  }
}
