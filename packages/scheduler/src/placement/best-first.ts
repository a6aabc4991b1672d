/**
 * The order of scores, made as far as somebody asks for it: of ten thousand lawful nodes a task needs
 * two, and sorting all of them takes longer than judging half of them.
 *
 * A binary heap of numbers, each of which holds rank and place, so that comparing two is one operation.
 * Ranks are below 2³² (scores and ties) and places below 2²⁰, so that it is exact.
 */
import { SCORE_MAX } from './weighted.ts';

/** Places, best first; may be walked once. */
export interface Order extends Iterable<number> {
  /** How many there are. */
  readonly length: number;
}

/**
 * Places of the scores, best first, those that are null left out. `scores` stand in the order of the
 * ids; `tieAt` is asked for places with equal scores only.
 */
export function bestFirst(
  scores: readonly (number | null)[],
  tieAt: (place: number) => number,
): Order {
  const keys = new Float64Array(scores.length);
  let length = 0;
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place] ?? null;
    if (score !== null) keys[length++] = keyOf(SCORE_MAX - score, place);
  }
  const heap = keys.subarray(0, length);
  return { length, [Symbol.iterator]: () => walk(heap, tieAt) };
}

function* walk(heap: Float64Array, tieAt: (place: number) => number): Generator<number> {
  for (let root = (heap.length >> 1) - 1; root >= 0; root--) sink(heap, root);
  let rest = heap;
  while (rest.length > 0) {
    const equal: number[] = [];
    const rank = rankOf(leastOf(rest));
    while (rest.length > 0 && rankOf(leastOf(rest)) === rank) {
      equal.push(placeOf(leastOf(rest)));
      rest = withoutLeast(rest);
    }
    yield* equal.length === 1 ? equal : byTies(equal, tieAt);
  }
}

/** Places of equal score in the order of their ties. */
function byTies(places: readonly number[], tieAt: (place: number) => number): number[] {
  const keys = Float64Array.from(places, (place) => keyOf(tieAt(place), place));
  return Array.from(keys.sort(), placeOf);
}

function leastOf(heap: Float64Array): number {
  return heap[0] as number;
}

function withoutLeast(heap: Float64Array): Float64Array {
  const rest = heap.subarray(0, -1);
  heap[0] = heap.at(-1) as number;
  if (rest.length > 0) sink(rest, 0);
  return rest;
}

/** Puts the key at `from` below all that are less. */
function sink(heap: Float64Array, from: number): void {
  const key = heap[from] as number;
  let at = from;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const other = child + 1;
    if (other < heap.length && (heap[other] as number) < (heap[child] as number)) child = other;
    if ((heap[child] as number) >= key) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = key;
}

function keyOf(rank: number, place: number): number {
  return rank * KEY_PLACES + place;
}

function rankOf(key: number): number {
  return Math.floor(key / KEY_PLACES);
}

function placeOf(key: number): number {
  return key - rankOf(key) * KEY_PLACES;
}

const KEY_PLACES = 2 ** 20;
