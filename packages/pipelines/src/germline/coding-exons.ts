/**
 * The coding exons of a bundle's `genes.gff3.gz` (packages/pipelines/src/reference/gff-models.ts):
 * CDS of protein-coding transcripts, merged where they touch, with the names of their genes.
 *
 * Parents may come after their children, so genes are told at the end. Splice sites, untranslated
 * exons and genes without a protein take no part.
 */
import { AppError } from '@helixmesh/protocol';
import { readLineBatches } from '../formats/gzip/lines.ts';
import { type GffFeature, parseFeature } from '../reference/gff-models.ts';
import type { Region } from './input.ts';
import { MAX_CODING_SEGMENTS } from './limits.ts';

/** 0-based half-open. */
export interface CodingExon extends Region {
  /** Of all genes that have a CDS in it, sorted. */
  readonly genes: readonly string[];
}

/** Told before a line is taken apart: most lines are of other types. */
const USED_TYPES = /^[^\t#]*\t[^\t]*\t(?:gene|mRNA|CDS)\t/;

/** By contig, in order of start, disjoint. INPUT_MALFORMED when there are too many. */
export async function readCodingExons(
  path: string,
): Promise<ReadonlyMap<string, readonly CodingExon[]>> {
  const models = new Models();
  for await (const lines of readLineBatches(path)) {
    for (const line of lines) {
      const feature = USED_TYPES.test(line) ? parseFeature(line) : null;
      if (feature !== null) models.learn(feature);
    }
  }
  return models.exons();
}

interface Segment {
  readonly start: number;
  readonly end: number;
  readonly transcript: string;
}

class Models {
  /** Ids with their prefixes `gene:` and `transcript:`. */
  readonly #names = new Map<string, string>();
  readonly #geneOf = new Map<string, string>();
  readonly #segments = new Map<string, Segment[]>();
  #count = 0;

  learn({ contig, type, start1, end1, attributes }: GffFeature): void {
    const id = attributes.get('ID') ?? '';
    const parent = attributes.get('Parent') ?? '';
    if (type === 'gene') this.#names.set(id, attributes.get('Name') ?? id.replace(/^gene:/, ''));
    // prepareGff writes mRNA for protein-coding transcripts alone.
    else if (type === 'mRNA') this.#geneOf.set(id, parent);
    else if (type === 'CDS') {
      this.#count += 1;
      if (this.#count > MAX_CODING_SEGMENTS) throw tooMany();
      const segments = this.#segments.get(contig) ?? [];
      segments.push({ start: start1 - 1, end: end1, transcript: parent });
      this.#segments.set(contig, segments);
    }
  }

  exons(): ReadonlyMap<string, readonly CodingExon[]> {
    return new Map(
      [...this.#segments].map(([refName, segments]) => [refName, this.#merged(refName, segments)]),
    );
  }

  #merged(refName: string, segments: readonly Segment[]): readonly CodingExon[] {
    const exons: { refName: string; start: number; end: number; genes: Set<string> }[] = [];
    for (const { start, end, transcript } of segments.toSorted((a, b) => a.start - b.start)) {
      const gene = this.#geneOf.get(transcript);
      if (gene === undefined) continue;
      const name = this.#names.get(gene) ?? gene.replace(/^gene:/, '');
      const last = exons.at(-1);
      if (last !== undefined && start <= last.end) {
        last.end = Math.max(last.end, end);
        last.genes.add(name);
      } else exons.push({ refName, start, end, genes: new Set([name]) });
    }
    return exons.map((exon) => ({ ...exon, genes: [...exon.genes].sort() }));
  }
}

function tooMany(): AppError {
  return new AppError(
    'INPUT_MALFORMED',
    `the gene models have more than ${MAX_CODING_SEGMENTS} lines CDS`,
    { hint: 'Give gene models of one genome, without predictions.' },
  );
}
