/** What a contig's name says of it, by the names of UCSC (`chr1`) and Ensembl/NCBI (`1`). */

export type ContigKind = 'autosome' | 'X' | 'Y' | 'MT' | 'other';

const AUTOSOME = /^(?:chr)?(?:[1-9]|1\d|2[0-2])$/;
const X = /^(?:chr)?X$/;
const Y = /^(?:chr)?Y$/;
const MT = /^(?:chr)?(?:M|MT)$/;

export function contigKind(name: string): ContigKind {
  if (AUTOSOME.test(name)) return 'autosome';
  if (X.test(name)) return 'X';
  if (Y.test(name)) return 'Y';
  return MT.test(name) ? 'MT' : 'other';
}
