/** Confident regions of one contig: sorted, merged, searched by bisection. 0-based half-open. */

export interface Interval {
  readonly start: number;
  readonly end: number;
}

export class RegionSet {
  readonly #starts: readonly number[];
  readonly #ends: readonly number[];

  constructor(intervals: readonly Interval[]) {
    const starts: number[] = [];
    const ends: number[] = [];
    for (const { start, end } of [...intervals].sort((a, b) => a.start - b.start)) {
      const last = ends.at(-1);
      if (last !== undefined && start <= last) {
        ends[ends.length - 1] = Math.max(last, end);
      } else {
        starts.push(start);
        ends.push(end);
      }
    }
    this.#starts = starts;
    this.#ends = ends;
  }

  /**
   * Whether any region touches [start, end). An empty span (an insertion without its padding base)
   * belongs to the base that follows it, as in rtg vcfeval.
   */
  touches(start: number, end: number): boolean {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) > start) high = middle;
      else low = middle + 1;
    }
    const next = this.#starts[low];
    return next !== undefined && next < Math.max(end, start + 1);
  }
}
