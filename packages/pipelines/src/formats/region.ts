/** Helpers over `Region` (0-based half-open) and its printed form `chr:beg1-end1` (1-based closed). */
import { AppError } from '@helixmesh/protocol';
import type { Contig, Region } from '../germline/input.ts';

const POSITIONS = /^([\d,]+)(?:-([\d,]*))?$/;

/** `chr7:101-200` of the region [100, 200) of chr7, as samtools and bcftools take it. */
export function formatRegion(region: Region): string {
  return `${region.refName}:${region.start + 1}-${region.end}`;
}

/**
 * Reads `chr`, `chr:beg1`, `chr:beg1-` and `chr:beg1-end1`; commas in numbers are allowed. An open
 * end is that of the contig. Names that hold a colon are matched against the contigs first. Throws
 * USAGE for what is no region or lies outside of its contig.
 */
export function parseRegion(text: string, contigs: readonly Contig[]): Region {
  const whole = contigs.find((contig) => contig.name === text);
  if (whole !== undefined) return wholeContig(whole);
  const colon = text.lastIndexOf(':');
  const contig = contigs.find((candidate) => candidate.name === text.slice(0, colon));
  const match = POSITIONS.exec(text.slice(colon + 1));
  if (colon < 0 || contig === undefined || match === null) throw notRegion(text);
  const start = toNumber(match[1] ?? '') - 1;
  const end = match[2] ? toNumber(match[2]) : contig.lengthBases;
  if (start < 0 || end <= start || end > contig.lengthBases) throw notRegion(text);
  return { refName: contig.name, start, end };
}

export function wholeContig(contig: Contig): Region {
  return { refName: contig.name, start: 0, end: contig.lengthBases };
}

export function regionLength(region: Region): number {
  return region.end - region.start;
}

/** Whether the 0-based position lies in the region. */
export function regionContains(region: Region, refName: string, position: number): boolean {
  return region.refName === refName && position >= region.start && position < region.end;
}

export function regionsOverlap(a: Region, b: Region): boolean {
  return a.refName === b.refName && a.start < b.end && b.start < a.end;
}

/** Order by contig as `contigs` lists them, then start, then end. Unlisted names come last. */
export function compareRegions(
  contigs: readonly Contig[],
): (left: Region, right: Region) => number {
  const ranks = new Map(contigs.map((contig, i) => [contig.name, i]));
  const rank = (region: Region) => ranks.get(region.refName) ?? contigs.length;
  return (left, right) =>
    rank(left) - rank(right) || left.start - right.start || left.end - right.end;
}

/** One BED line without its end: BED is 0-based half-open too. */
export function formatBedLine(region: Region): string {
  return `${region.refName}\t${region.start}\t${region.end}`;
}

/** Reads the regions of a BED text; throws INPUT_MALFORMED with the line's number. */
export function parseBed(text: string): Region[] {
  const regions: Region[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || /^(#|track|browser)/.test(line)) continue;
    const [refName = '', start, end] = line.split('\t');
    const region = { refName, start: Number(start), end: Number(end) };
    const isSound = Number.isInteger(region.start) && region.end >= region.start;
    if (refName === '' || !isSound || region.start < 0 || !Number.isInteger(region.end)) {
      throw new AppError('INPUT_MALFORMED', `line ${i + 1} of the BED file is no region`, {
        hint: 'Give contig, start and end (0-based, half-open) separated by tabs.',
      });
    }
    regions.push(region);
  }
  return regions;
}

function toNumber(digits: string): number {
  return Number(digits.replaceAll(',', ''));
}

function notRegion(text: string): AppError {
  return new AppError('USAGE', `not a region of this reference: ${JSON.stringify(text)}`, {
    hint: 'Write it like chr7:1001-2000, with both positions 1-based and inside of the contig.',
  });
}
