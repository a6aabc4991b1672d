/**
 * Reads one VCF contig by contig, in the order of the reference. Only the records of one contig are
 * held; a file in another order is refused, since pairing it would need the whole file.
 */
import { basename } from 'node:path';
import { AppError } from '@helixmesh/protocol';
import type { FaiContig } from '../formats/fai.ts';
import { openVcf, sampleValue, type VcfReader, type VcfRecord } from '../formats/vcf.ts';
import { MAX_NAMED_SAMPLES } from './limits.ts';
import type { RegionSet } from './regions.ts';
import type { ReferenceSequence } from './variant.ts';
import { recordSpan, type SmallVariant, toSmallVariant } from './variant.ts';

export interface ContigReaderOptions {
  readonly path: string;
  /** Column name; the first sample when absent. */
  readonly sample: string | undefined;
  /** Takes records whose FILTER is neither PASS nor empty as well. */
  readonly isAllRecords: boolean;
}

export interface ContigPlace {
  readonly contig: FaiContig;
  readonly reference: ReferenceSequence;
  /** Null when everything counts. */
  readonly confident: RegionSet | null;
}

export class ContigReader {
  readonly ignored = { notVariant: 0, filtered: 0, unsupported: 0 };
  readonly #options: ContigReaderOptions;
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #vcf: VcfReader;
  readonly #sample: number;
  #next: VcfRecord | null = null;
  #rank = -1;

  private constructor(
    options: ContigReaderOptions,
    vcf: VcfReader,
    ranks: ReadonlyMap<string, number>,
  ) {
    this.#options = options;
    this.#ranks = ranks;
    this.#vcf = vcf;
    this.#sample = options.sample === undefined ? 0 : vcf.header.samples.indexOf(options.sample);
  }

  /** Opens the file. Throws USAGE for a sample it does not have, and what `openVcf` throws. */
  static async open(
    options: ContigReaderOptions,
    contigs: readonly FaiContig[],
  ): Promise<ContigReader> {
    const vcf = await openVcf(options.path);
    const ranks = new Map(contigs.map((contig, index) => [contig.name, index]));
    const reader = new ContigReader(options, vcf, ranks);
    const { samples } = vcf.header;
    if (samples[reader.#sample] === undefined) {
      await vcf.close();
      throw noSample(basename(options.path), options.sample, samples);
    }
    await reader.#advance();
    return reader;
  }

  /** The variants of the next contig in order, empty where the file has none of it. */
  async variants(place: ContigPlace): Promise<SmallVariant[]> {
    const variants: SmallVariant[] = [];
    for (let id = 0; this.#next?.chrom === place.contig.name; id += 1) {
      const variant = this.#toVariant(this.#next, place, id);
      if (variant !== null) variants.push(variant);
      await this.#advance();
    }
    return variants;
  }

  async close(): Promise<void> {
    await this.#vcf.close();
  }

  #toVariant(record: VcfRecord, place: ContigPlace, id: number): SmallVariant | null {
    const isPassed = record.filter.length === 0 || record.filter.join() === 'PASS';
    if (!isPassed && !this.#options.isAllRecords) {
      this.ignored.filtered += 1;
      return null;
    }
    const fields = {
      pos1: record.pos1,
      ref: record.ref.toUpperCase(),
      alts: record.alt.map((alt) => alt.toUpperCase()),
      genotype: sampleValue(record, 'GT', this.#sample) ?? '.',
    };
    const { start, end } = recordSpan(fields);
    const isInside = place.confident?.touches(start, end) ?? true;
    const variant = toSmallVariant(fields, place.reference, { id, isInside });
    if (typeof variant === 'object') return variant;
    this.ignored[variant === 'unsupported' ? 'unsupported' : 'notVariant'] += 1;
    return null;
  }

  /** Reads ahead by one record. Throws CONTIG_MISMATCH and INPUT_MALFORMED. */
  async #advance(): Promise<void> {
    const { value, done } = await this.#vcf.records.next();
    this.#next = done ? null : value;
    if (this.#next === null) return;
    const name = basename(this.#options.path);
    const rank = this.#ranks.get(this.#next.chrom);
    if (rank === undefined) {
      throw new AppError('CONTIG_MISMATCH', `${name} has a contig that the reference has not`, {
        hint: 'Give the reference that the variants were made against.',
        details: { contig: this.#next.chrom },
      });
    }
    if (rank < this.#rank) {
      throw new AppError('INPUT_MALFORMED', `${name} is not in the order of the reference`, {
        hint: 'Order it with `bcftools reheader --fai ref.fa.fai` and `bcftools sort`.',
        details: { contig: this.#next.chrom },
      });
    }
    this.#rank = rank;
  }
}

function noSample(name: string, wanted: string | undefined, samples: readonly string[]): AppError {
  if (samples.length === 0) {
    return new AppError('USAGE', `${name} has no sample, so no genotypes to compare`, {
      hint: 'Give a VCF with the genotypes of a sample.',
    });
  }
  const named = samples.slice(0, MAX_NAMED_SAMPLES).join(', ');
  const more = samples.length - MAX_NAMED_SAMPLES;
  return new AppError('USAGE', `${name} has no sample ${wanted}`, {
    hint: `Name a sample of the file: ${named}${more > 0 ? ` and ${more} more` : ''}.`,
  });
}
