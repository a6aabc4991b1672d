/** Numbers of the wire as ours: uint64 are bigints there, and safe integers here. */
import { AppError } from '@helixmesh/protocol';
import type { Range as WireRange } from '@helixmesh/protocol/bionfs';
import type { Range } from '@helixmesh/protocol/sealing';

/** Throws USAGE for a place that no body has. */
export function rangeOf({ start, end }: Pick<WireRange, 'start' | 'end'>): Range {
  if (end <= BigInt(Number.MAX_SAFE_INTEGER) && start < end) {
    return { start: Number(start), end: Number(end) };
  }
  throw new AppError('USAGE', 'a range is empty, or no body is so long', {
    hint: 'Ask for bytes within the body, the start before the end.',
  });
}

export function wireRange({ start, end }: Range): { start: bigint; end: bigint } {
  return { start: BigInt(start), end: BigInt(end) };
}
