/**
 * The canonical digest of a VCF file. The one rule, for every caller and for annotated files alike:
 *
 *   V1  Of the header count the samples in their order, the contigs (ID, length) and of the INFO,
 *       FORMAT and FILTER fields that occur in records: ID, Number and Type. File date, source,
 *       command lines, reference path, descriptions and unused definitions do not.
 *   V2  Records count in the order of the contigs, POS, REF, ALT, whatever their order in the file.
 *       Normalisation is not done here.
 *   V3  CHROM, POS, ID, REF, ALT and FILTER (sorted) count; INFO with its keys sorted; FORMAT with
 *       GT first and the others sorted, the values of the samples along with them.
 *   V4  Values of Type Float count to 4 significant digits.
 *   V5  Likelihoods do not count: QUAL, INFO/ODDS and FORMAT/GL, PL, GP and GQ. freebayes sums them
 *       in an order that depends on the name of its input, so their last digits (all digits where
 *       they are next to nothing) differ between runs that agree on every genotype and depth. What
 *       they decide does count: which records there are, GT and FILTER.
 *
 * SHA-256 over lines of text after a domain tag. Memory is constant for a file that is sorted.
 */
import { createHash } from 'node:crypto';
import { AppError } from '@helixmesh/protocol';
import { detectCompression, hasBgzfEnd } from '../formats/gzip/bgzf.ts';
import { readLineBatches } from '../formats/gzip/lines.ts';
import { parseVcfHeader, type VcfFieldDefinition, type VcfHeader } from '../formats/vcf.ts';
import { UNSORTED_VCF_RECORDS_MAX } from './limits.ts';
import { VcfCanonicalizer, type VcfKey } from './vcf-record.ts';

const DOMAIN = 'helixmesh canonical vcf 1';
const FLUSH_LINES = 4096;

/** 64 hex digits of SHA-256 over the canonical content. */
export async function vcfDigestHex(path: string): Promise<string> {
  if ((await detectCompression(path)) === 'bgzf' && !(await hasBgzfEnd(path))) {
    throw new AppError('INPUT_TRUNCATED', 'the VCF file has no end block', {
      hint: 'Make the file again; it was not written or copied whole.',
    });
  }
  return (await digestSorted(path)) ?? (await digestUnsorted(path));
}

/** Null as soon as a record is out of order. */
async function digestSorted(path: string): Promise<string | null> {
  const hash = createHash('sha256').update(`${DOMAIN}\n`);
  let lines: string[] = [];
  let ties: string[] = [];
  let previous: VcfKey = { rank: -1, chrom: '', pos1: 0 };
  const canonicalizer = await readVcf(path, (key, line) => {
    const order = compareKeys(previous, key);
    if (order > 0) return false;
    if (order < 0) {
      lines.push(...ties.sort());
      ties = [];
      previous = key;
      if (lines.length > FLUSH_LINES) {
        hash.update(joined(lines));
        lines = [];
      }
    }
    ties.push(line);
    return true;
  });
  if (canonicalizer === null) return null;
  hash.update(joined([...lines, ...ties.sort(), ...trailer(canonicalizer)]));
  return hash.digest('hex');
}

async function digestUnsorted(path: string): Promise<string> {
  const records: { key: VcfKey; line: string }[] = [];
  const canonicalizer = await readVcf(
    path,
    (key, line) => records.push({ key, line }) <= UNSORTED_VCF_RECORDS_MAX,
  );
  if (canonicalizer === null) {
    throw new AppError('INPUT_MALFORMED', 'the VCF file is not sorted and too large to sort here', {
      hint: 'Sort it with `bcftools sort`.',
    });
  }
  records.sort((a, b) => compareKeys(a.key, b.key) || (a.line < b.line ? -1 : 1));
  const hash = createHash('sha256').update(`${DOMAIN}\n`);
  for (const { line } of records) hash.update(`${line}\n`);
  return hash.update(joined(trailer(canonicalizer))).digest('hex');
}

type OnRecord = (key: VcfKey, line: string) => boolean;

/** Gives all records in canonical form; null when `onRecord` ended it by returning false. */
async function readVcf(path: string, onRecord: OnRecord): Promise<VcfCanonicalizer | null> {
  const headerLines: string[] = [];
  let canonicalizer: VcfCanonicalizer | null = null;
  for await (const batch of readLineBatches(path)) {
    for (const line of batch) {
      if (line === '') continue;
      if (line.startsWith('#')) {
        headerLines.push(line);
        continue;
      }
      canonicalizer ??= new VcfCanonicalizer(parseVcfHeader(headerLines));
      const record = canonicalizer.record(line);
      if (!onRecord(record.key, record.line)) return null;
    }
  }
  return canonicalizer ?? new VcfCanonicalizer(parseVcfHeader(headerLines));
}

/** The header comes last, for only then is it known which definitions were used. */
function trailer(canonicalizer: VcfCanonicalizer): string[] {
  const { header } = canonicalizer;
  const contigs = header.contigs.map((contig) => `#contig\t${contig.name}\t${contig.lengthBases}`);
  return [
    `#samples\t${header.samples.join('\t')}`,
    ...contigs,
    ...definitions('INFO', canonicalizer.usedInfo, header.info),
    ...definitions('FORMAT', canonicalizer.usedFormat, header.format),
    ...[...canonicalizer.usedFilter].sort().map((id) => `#FILTER\t${id}`),
  ];
}

function definitions(
  kind: string,
  used: ReadonlySet<string>,
  known: VcfHeader['info'],
): readonly string[] {
  return [...used].sort().map((id) => {
    const definition: VcfFieldDefinition | undefined = known.get(id);
    return `#${kind}\t${id}\t${definition?.number ?? ''}\t${definition?.type ?? ''}`;
  });
}

function compareKeys(a: VcfKey, b: VcfKey): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.chrom !== b.chrom) return a.chrom < b.chrom ? -1 : 1;
  return a.pos1 - b.pos1;
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
