/**
 * Edit lists (Crypt4GH 1.0 §4.2): lengths that are skipped and kept by turns, skip first. After a
 * last skip with no keep behind it all the rest is kept.
 */
import { AppError } from '../errors.ts';
import { CRYPT4GH_EDITS_MAX } from '../limits.ts';
import type { Range } from './segments.ts';

/**
 * The bytes of the plaintext that `editList` keeps, in order, touching ones joined; `end` of the
 * last may be Infinity. Throws INPUT_MALFORMED for a list that reaches beyond 2^53 bytes.
 */
export function keptRanges(editList: readonly number[]): Range[] {
  if (editList.length === 0) return [{ start: 0, end: Number.POSITIVE_INFINITY }];
  const ranges: Range[] = [];
  let at = 0;
  for (let i = 0; i < editList.length; i += 2) {
    const start = at + (editList[i] ?? 0);
    const keep = editList[i + 1];
    at = start + (keep ?? 0);
    if (!Number.isSafeInteger(at) || start < 0 || at < start) throw badEditList();
    append(ranges, { start, end: keep === undefined ? Number.POSITIVE_INFINITY : at });
  }
  return ranges;
}

/** The list that keeps `ranges`, which are in order, apart and end somewhere. */
export function editListOf(ranges: readonly Range[]): number[] {
  const lengths: number[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    if (start < at || end < start) throw new AppError('INTERNAL', 'ranges are not in order');
    lengths.push(start - at, end - start);
    at = end;
  }
  if (lengths.length === 0) lengths.push(0, 0);
  if (lengths.length > CRYPT4GH_EDITS_MAX) {
    throw new AppError('USAGE', `${ranges.length} pieces are too many for one edit list`, {
      hint: `Ask for at most ${CRYPT4GH_EDITS_MAX / 2} pieces at once.`,
    });
  }
  return lengths;
}

export function badEditList(): AppError {
  return new AppError('INPUT_MALFORMED', 'the edit list of a Crypt4GH header is not valid', {
    hint: 'Ask the sender for the header again.',
  });
}

function append(ranges: Range[], range: Range): void {
  if (range.end === range.start) return;
  const last = ranges.at(-1);
  if (last?.end === range.start) ranges[ranges.length - 1] = { start: last.start, end: range.end };
  else ranges.push(range);
}
