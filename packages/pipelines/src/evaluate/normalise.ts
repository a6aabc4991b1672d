/**
 * Trimming and shifting of single alleles against the reference (Tan, Abecasis & Kang,
 * "Unified representation of genetic variants", Bioinformatics 2015). Coordinates 0-based half-open.
 */
import { MAX_SHIFT_BASES } from './limits.ts';
import type { Allele, ReferenceSequence } from './variant.ts';

/** REF and ALT at `start` without the bases that both end, then begin, with. */
export function trimAllele(allele: {
  readonly start: number;
  readonly ref: string;
  readonly alt: string;
}): Allele {
  const { ref, alt } = allele;
  const shorter = Math.min(ref.length, alt.length);
  let suffix = 0;
  while (suffix < shorter && ref.at(-1 - suffix) === alt.at(-1 - suffix)) suffix += 1;
  let prefix = 0;
  while (prefix < shorter - suffix && ref[prefix] === alt[prefix]) prefix += 1;
  return {
    start: allele.start + prefix,
    end: allele.start + ref.length - suffix,
    bases: alt.slice(prefix, alt.length - suffix),
  };
}

/** The same change at its leftmost place. Substitutions and complex alleles stay. */
export function leftAligned(allele: Allele, reference: ReferenceSequence): Allele {
  const moving = movingBases(allele, reference);
  if (moving === null) return allele;
  const by = shiftLeft(allele.start, moving, reference);
  const bases = allele.bases === '' ? '' : rotate(allele.bases, -by);
  return { start: allele.start - by, end: allele.end - by, bases };
}

/** Reference bases over which an indel can be shifted, its own included. */
export function shiftSpan(
  allele: Allele,
  reference: ReferenceSequence,
): { readonly start: number; readonly end: number } {
  const moving = movingBases(allele, reference);
  if (moving === null) return { start: allele.start, end: allele.end };
  return {
    start: allele.start - shiftLeft(allele.start, moving, reference),
    end: allele.end + shiftRight(allele.end, moving, reference),
  };
}

/** The inserted or deleted bases of a pure insertion or deletion, else null. */
function movingBases(allele: Allele, reference: ReferenceSequence): string | null {
  if (allele.start === allele.end) return allele.bases;
  return allele.bases === '' ? reference.slice(allele.start, allele.end) : null;
}

function shiftLeft(start: number, moving: string, reference: ReferenceSequence): number {
  const limit = Math.min(start, MAX_SHIFT_BASES);
  const before = lazyWindow((by) => reference.slice(start - by, start), limit);
  let by = 0;
  while (by < limit) {
    const base = before(by + 1).at(-1 - by);
    if (base !== moving.at(-1 - (by % moving.length))) break;
    by += 1;
  }
  return by;
}

function shiftRight(end: number, moving: string, reference: ReferenceSequence): number {
  const limit = Math.min(reference.length - end, MAX_SHIFT_BASES);
  const after = lazyWindow((by) => reference.slice(end, end + by), limit);
  let by = 0;
  while (by < limit && after(by + 1)[by] === moving[by % moving.length]) by += 1;
  return by;
}

/** Reads the reference in growing windows, since most indels shift by a few bases only. */
function lazyWindow(read: (bases: number) => string, limit: number): (need: number) => string {
  let window = '';
  return (need) => {
    if (need > window.length) window = read(Math.min(limit, Math.max(32, need * 2)));
    return window;
  };
}

/** Moves the first `by` bases to the end (the last ones to the front for a negative count). */
function rotate(bases: string, by: number): string {
  const cut = ((by % bases.length) + bases.length) % bases.length;
  return bases.slice(cut) + bases.slice(0, cut);
}
