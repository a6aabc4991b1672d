/**
 * The builtin `coverage-targets`: where a sample should be covered, as `targets.bed` and
 * `targets.json`, for the search for regions of low coverage.
 *
 *   gene models, reads spread     the coding exons of all genes
 *   gene models, reads confined   the same; `low-coverage` then leaves out genes without reads
 *   no gene models, spread        the contigs without their N, up to MAX_EXAMINED_CONTIG_BASES
 *   else                          nothing: what a panel aims at cannot be told from its gaps
 *
 * "Spread" is what a genome's reads are (`isSpread`), "confined" those of a panel. Of a reference with numbered chromosomes, 1–22, X, Y
 * and MT count: on alternate and unplaced contigs reads align ambiguously by design. Y counts in XY
 * alone, without its pseudo-autosomal regions, which are read on X. Where one copy is expected, the
 * threshold is LOW_COVERAGE_HAPLOID_DEPTH.
 *
 * Args `{ karyotype, par, hasModels }`; reads `ref.fa.fai`, `qc.json` and `genes.gff3.gz` or `ref.fa`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@helixmesh/protocol';
import { z } from 'zod';
import { IndexedFasta, parseFai } from '../formats/fai.ts';
import { lowCoverageScopeSchema } from '../report/model-low-coverage.ts';
import type { BuiltinContext } from '../task/builtin.ts';
import { readCodingExons } from './coding-exons.ts';
import { contigKind } from './contig-kind.ts';
import type { Contig, Region } from './input.ts';
import {
  LOW_COVERAGE_DEPTH,
  LOW_COVERAGE_HAPLOID_DEPTH,
  MAX_EXAMINED_CONTIG_BASES,
} from './limits.ts';
import { haploidRegions, type Karyotype } from './ploidy.ts';
import { isSpread, qcModelSchema } from './qc-model.ts';

export const TARGETS_BED = 'targets.bed';
export const TARGETS_JSON = 'targets.json';
const WINDOW_BASES = 1 << 20;
/** The list of genes in a BED column; a name of a gene holds none, GFF3 separates values by it. */
export const GENE_SEPARATOR = ',';

const regionSchema = z.strictObject({ refName: z.string(), start: z.int(), end: z.int() });
const argsSchema = z.strictObject({
  karyotype: z.enum(['XX', 'XY', 'undetermined', 'not applicable']),
  par: z.array(regionSchema),
  hasModels: z.boolean(),
});

/** `scope` is null where nothing is examined; then `targets.bed` holds one base, for samtools. */
export const targetsSchema = z.strictObject({
  scope: lowCoverageScopeSchema.nullable(),
  bases: z.int().min(0),
});

/** 0-based half-open, with the depth below which a base of it is low. */
export interface CoverageTarget extends Region {
  readonly thresholdDepth: number;
  readonly genes: readonly string[];
}

export async function coverageTargets({ folder, args }: BuiltinContext): Promise<void> {
  const { karyotype, par, hasModels } = argsSchema.parse(args);
  const contigs = parseFai(await readFile(join(folder, 'ref.fa.fai'), 'utf8'));
  const qc = qcModelSchema.parse(JSON.parse(await readFile(join(folder, 'qc.json'), 'utf8')));
  const examined = examinedContigs(contigs, karyotype);
  const isWhole = isSpread(qc.coverage);
  const wanted = hasModels
    ? await codingTargets(join(folder, 'genes.gff3.gz'), examined)
    : await contigTargets(join(folder, 'ref.fa'), isWhole ? examined : []);
  const targets = wanted.flatMap((target) => byCopies(target, { contigs, par, karyotype }));
  const bases = targets.reduce((sum, { start, end }) => sum + end - start, 0);
  const genes = isWhole ? 'coding exons' : 'coding exons of covered genes';
  const scope = bases === 0 ? null : hasModels ? genes : 'contigs';
  const document = targetsSchema.parse({ scope, bases });
  await writeFile(join(folder, TARGETS_JSON), `${canonicalJson(document)}\n`);
  // samtools refuses an empty list of regions.
  const probe = `${contigs[0]?.name}\t0\t1\n`;
  await writeFile(
    join(folder, TARGETS_BED),
    scope === null ? probe : targets.map(targetLine).join(''),
  );
}

/** Those that the sample should have reads on, in the order of the reference. */
export function examinedContigs<Kind extends Contig>(
  contigs: readonly Kind[],
  karyotype: Karyotype,
): readonly Kind[] {
  const isNumbered = contigs.some(({ name }) => contigKind(name) === 'autosome');
  return contigs.filter(({ name }) => {
    const kind = contigKind(name);
    if (kind === 'Y') return karyotype === 'XY';
    return kind !== 'other' || !isNumbered;
  });
}

async function codingTargets(path: string, contigs: readonly Contig[]) {
  const exons = await readCodingExons(path);
  return contigs.flatMap(({ name, lengthBases }) =>
    (exons.get(name) ?? []).map((exon) => ({ ...exon, end: Math.min(exon.end, lengthBases) })),
  );
}

/** Stretches without N. */
async function contigTargets(path: string, contigs: readonly Contig[]) {
  const total = contigs.reduce((sum, { lengthBases }) => sum + lengthBases, 0);
  if (total === 0 || total > MAX_EXAMINED_CONTIG_BASES) return [];
  const fasta = await IndexedFasta.open(path);
  try {
    const stretches: { refName: string; start: number; end: number; genes: string[] }[] = [];
    for (const { name: refName, lengthBases } of contigs) {
      for (let from = 0; from < lengthBases; from += WINDOW_BASES) {
        const end = Math.min(lengthBases, from + WINDOW_BASES);
        const bases = await fasta.bases({ refName, start: from, end });
        for (const { index, 0: text } of bases.matchAll(/[^Nn]+/g)) {
          const start = from + index;
          const last = stretches.at(-1);
          if (last?.refName === refName && last.end === start) last.end += text.length;
          else stretches.push({ refName, start, end: start + text.length, genes: [] });
        }
      }
    }
    return stretches;
  } finally {
    await fasta.close();
  }
}

interface Copies {
  readonly contigs: readonly Contig[];
  readonly par: readonly Region[];
  readonly karyotype: Karyotype;
}

/** Cuts a target at the borders of the pseudo-autosomal regions; PAR of Y falls away. */
function byCopies(
  target: Omit<CoverageTarget, 'thresholdDepth'>,
  { contigs, par, karyotype }: Copies,
): readonly CoverageTarget[] {
  const { refName, start, end } = target;
  const kind = contigKind(refName);
  if (karyotype !== 'XY' || (kind !== 'X' && kind !== 'Y')) {
    return [{ ...target, thresholdDepth: LOW_COVERAGE_DEPTH }];
  }
  const pieces: CoverageTarget[] = [];
  const add = (from: number, to: number, thresholdDepth: number) => {
    if (from < to) pieces.push({ ...target, start: from, end: to, thresholdDepth });
  };
  let at = start;
  for (const haploid of haploidRegions(contigs, par, karyotype)) {
    if (haploid.refName !== refName || haploid.end <= start || haploid.start >= end) continue;
    if (kind === 'X') add(at, haploid.start, LOW_COVERAGE_DEPTH);
    add(Math.max(start, haploid.start), Math.min(end, haploid.end), LOW_COVERAGE_HAPLOID_DEPTH);
    at = haploid.end;
  }
  if (kind === 'X') add(at, end, LOW_COVERAGE_DEPTH);
  return pieces;
}

function targetLine({ refName, start, end, genes, thresholdDepth }: CoverageTarget): string {
  const named = genes.join(GENE_SEPARATOR);
  return `${refName}\t${start}\t${end}\t${named}\t${thresholdDepth}\n`;
}
