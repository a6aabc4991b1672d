/**
 * Reads `samtools depth -aa -b targets.bed`: contig, position (1-based) and depth of every base of
 * the targets, in order. Depths stream through; a base that is missing, doubled or out of order is
 * RESULT_DIFFERS, for then the tool read other alignments or targets than it was given.
 */
import { AppError } from '@helixmesh/protocol';
import { readDecompressed } from '../formats/gzip/bgzf.ts';
import type { CoverageTarget } from './coverage-targets.ts';

const TAB = 0x09;
const LINE_END = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

export interface DepthVisitor {
  /** For every base in order; `position` is 0-based. */
  base(target: CoverageTarget, position: number, depth: number): void;
  /** After the last base of a target. */
  targetEnd(target: CoverageTarget): void;
  /** Between pieces of the file: the place to write what has gathered. */
  pause(): Promise<void>;
}

export async function visitDepths(
  path: string,
  targets: readonly CoverageTarget[],
  visitor: DepthVisitor,
): Promise<void> {
  const walk = new Walk(targets, visitor);
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of readDecompressed(path)) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const end = bytes.lastIndexOf(LINE_END) + 1;
    walk.lines(bytes, end);
    carry = bytes.subarray(end);
    await visitor.pause();
  }
  if (carry.length > 0) throw differs('it ends in the middle of a line');
  walk.finish();
}

class Walk {
  readonly #targets: readonly CoverageTarget[];
  readonly #visitor: DepthVisitor;
  #index = 0;
  #position: number;
  #name: Buffer;

  constructor(targets: readonly CoverageTarget[], visitor: DepthVisitor) {
    this.#targets = targets;
    this.#visitor = visitor;
    this.#position = targets[0]?.start ?? 0;
    this.#name = Buffer.from(targets[0]?.refName ?? '');
  }

  lines(bytes: Buffer, end: number): void {
    let at = 0;
    while (at < end) {
      const nameEnd = bytes.indexOf(TAB, at);
      const target = this.#targets[this.#index];
      if (target === undefined) throw differs('it goes on after the last target');
      if (nameEnd < 0 || this.#name.compare(bytes, at, nameEnd) !== 0)
        throw differs('a base is missing');
      const position1End = numberEnd(bytes, nameEnd + 1, TAB);
      const lineEnd = numberEnd(bytes, position1End + 1, LINE_END);
      if (numberIn(bytes, nameEnd + 1, position1End) - 1 !== this.#position) {
        throw differs('a base is missing or out of order');
      }
      const depth = numberIn(bytes, position1End + 1, lineEnd);
      this.#visitor.base(target, this.#position, depth);
      this.#advance(target);
      at = lineEnd + 1;
    }
  }

  finish(): void {
    if (this.#index < this.#targets.length) throw differs('it ends before the last target');
  }

  #advance(target: CoverageTarget): void {
    this.#position++;
    if (this.#position < target.end) return;
    this.#visitor.targetEnd(target);
    const next = this.#targets[++this.#index];
    if (next === undefined) return;
    this.#position = next.start;
    if (next.refName !== target.refName) this.#name = Buffer.from(next.refName);
  }
}

/** Where the digits from `at` on end; `until` must follow them. */
function numberEnd(bytes: Buffer, at: number, until: number): number {
  let end = at;
  while ((bytes[end] as number) >= ZERO && (bytes[end] as number) <= NINE) end++;
  if (end === at || bytes[end] !== until) throw differs('a line has not three columns');
  return end;
}

function numberIn(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + (bytes[at] as number) - ZERO;
  return value;
}

function differs(why: string): AppError {
  return new AppError('RESULT_DIFFERS', `the depths do not follow the targets: ${why}`, {
    hint: 'Run the job again; if it happens again, report the version of samtools.',
  });
}
