/**
 * `helixmesh evaluate`: compares small-variant calls with a truth set inside confident regions, by
 * allele and genotype, whatever the representation. Contig by contig; memory grows with the records
 * of the largest contig only.
 *
 * Counts follow rtg vcfeval 3.12 with `--evaluation-regions` and `--ref-overlap`: all records are
 * compared, and only then are those outside the regions left out of the counts. What `variant.ts`,
 * `replay.ts` and `match.ts` say about single records, replay and verdicts completes this.
 * It does not score structural variants, phasing, or ROC curves.
 */
import { AppError } from '@helixmesh/protocol';
import { readLines } from '../formats/gzip/lines.ts';
import { parseBed } from '../formats/region.ts';
import { clusters } from './clusters.ts';
import { ContigReader } from './contig-reader.ts';
import { FastaWindow } from './fasta-window.ts';
import { matchCluster, type Verdict } from './match.ts';
import { type Interval, RegionSet } from './regions.ts';
import type { MatchMode } from './replay.ts';
import type { EvaluationResult } from './schema.ts';
import { Tally } from './tally.ts';
import type { SmallVariant, VariantKind } from './variant.ts';

export interface EvaluateOptions {
  /** VCF, plain or compressed, contigs in the order of the reference. */
  readonly truth: string;
  readonly calls: string;
  /** Uncompressed FASTA with its `.fai`. */
  readonly reference: string;
  /** BED; everything counts when absent. */
  readonly confident?: string;
  /** `genotype` by default; `allele` ignores how many copies there are. */
  readonly mode?: MatchMode;
  /** Takes records that failed a FILTER as well. */
  readonly isAllRecords?: boolean;
  /** Sample columns; the first of each file when absent. */
  readonly truthSample?: string;
  readonly callsSample?: string;
  /** Called for every record that counts, cluster by cluster from left to right. */
  readonly onSite?: (site: EvaluatedSite) => void;
  readonly signal?: AbortSignal;
}

export const SITE_STATUSES = ['TP_TRUTH', 'TP_CALL', 'FN', 'FP'] as const;
export type SiteStatus = (typeof SITE_STATUSES)[number];

/** One record of either file with its verdict. */
export interface EvaluatedSite {
  readonly contig: string;
  /** The record as it stands in its file, 1-based. */
  readonly pos1: number;
  readonly ref: string;
  readonly alts: readonly string[];
  readonly genotype: string;
  readonly status: SiteStatus;
  /** Of an FN or FP: `genotype` when the allele is right; null for a TP. */
  readonly reason: 'genotype' | 'allele' | null;
  readonly kind: VariantKind;
  /** Reference span over which the record can be shifted, 0-based half-open. */
  readonly start: number;
  readonly end: number;
  /** Equal for two records that say the same genotype of the same left-aligned alleles. */
  readonly key: string;
}

/** Compares; throws CONTIG_MISMATCH, CANCELED, and what reading the files throws. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  const mode = options.mode ?? 'genotype';
  const tally = new Tally();
  let clustersTooComplex = 0;
  const confident = options.confident === undefined ? null : await readRegions(options.confident);
  using fasta = new FastaWindow(options.reference);
  await using readers = await openBoth(options, fasta);
  for (const contig of fasta.contigs) {
    checkCanceled(options.signal);
    const reference = fasta.sequence(contig);
    const regions = confident === null ? null : new RegionSet(confident.get(contig.name) ?? []);
    const place = { contig, reference, confident: regions };
    const truth = await readers.truth.variants(place);
    const calls = await readers.calls.variants(place);
    for (const cluster of clusters({ truth, calls })) {
      const match = matchCluster(cluster, reference, mode);
      if (match.isTooComplex) clustersTooComplex += 1;
      for (const [variant, verdict] of match.truth) tally.addTruth(variant.kind, verdict);
      for (const [variant, verdict] of match.calls) tally.addCall(variant.kind, verdict);
      if (options.onSite === undefined) continue;
      for (const site of sites(contig.name, match)) options.onSite(site);
    }
  }
  const ignored = { truth: readers.truth.ignored, calls: readers.calls.ignored };
  return { version: 1, mode, ...tally.counts(), ignored, clustersTooComplex };
}

function* sites(
  contig: string,
  match: {
    readonly truth: ReadonlyMap<SmallVariant, Verdict>;
    readonly calls: ReadonlyMap<SmallVariant, Verdict>;
  },
): Generator<EvaluatedSite> {
  for (const side of ['truth', 'calls'] as const) {
    for (const [variant, verdict] of match[side]) {
      if (verdict === 'outside') continue;
      const isMatched = verdict === 'matched';
      const right = side === 'truth' ? 'TP_TRUTH' : 'TP_CALL';
      const wrong = side === 'truth' ? 'FN' : 'FP';
      yield {
        contig,
        ...variant.record,
        status: isMatched ? right : wrong,
        reason: isMatched ? null : verdict,
        kind: variant.kind,
        start: variant.shiftStart,
        end: variant.shiftEnd,
        key: variant.key,
      };
    }
  }
}

interface Readers extends AsyncDisposable {
  readonly truth: ContigReader;
  readonly calls: ContigReader;
}

async function openBoth(options: EvaluateOptions, fasta: FastaWindow): Promise<Readers> {
  const isAllRecords = options.isAllRecords ?? false;
  const truth = await ContigReader.open(
    { path: options.truth, sample: options.truthSample, isAllRecords },
    fasta.contigs,
  );
  try {
    const calls = await ContigReader.open(
      { path: options.calls, sample: options.callsSample, isAllRecords },
      fasta.contigs,
    );
    const closeBoth = async (): Promise<void> => {
      await truth.close();
      await calls.close();
    };
    return { truth, calls, [Symbol.asyncDispose]: closeBoth };
  } catch (error) {
    await truth.close();
    throw error;
  }
}

async function readRegions(path: string): Promise<ReadonlyMap<string, readonly Interval[]>> {
  const byContig = new Map<string, Interval[]>();
  for await (const line of readLines(path)) {
    for (const { refName, start, end } of parseBed(line)) {
      const known = byContig.get(refName);
      if (known === undefined) byContig.set(refName, [{ start, end }]);
      else known.push({ start, end });
    }
  }
  return byContig;
}

function checkCanceled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('CANCELED', 'the comparison was canceled');
}
