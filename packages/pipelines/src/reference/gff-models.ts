/**
 * Reads gene models as Ensembl, GENCODE or NCBI RefSeq write them in GFF3 and gives them the one
 * form that `bcftools csq` understands: `ID=gene:…`, `ID=transcript:…;Parent=gene:…;biotype=…`.
 * Transcript ids carry their version where the source tells one (`NM_007294.3`).
 *
 * Two passes over the file: parents may come after their children.
 */
import { MAX_GENE_MODELS } from './limits.ts';

export interface GffFeature {
  readonly contig: string;
  readonly source: string;
  readonly type: string;
  /** 1-based, closed. */
  readonly start1: number;
  readonly end1: number;
  readonly rest: readonly [score: string, strand: string, phase: string];
  readonly attributes: ReadonlyMap<string, string>;
}

/** A feature line, or null for what has not nine columns with numbers. */
export function parseFeature(line: string): GffFeature | null {
  const columns = line.split('\t');
  const [contig, source, type, start, end, score, strand, phase, text] = columns;
  if (columns.length !== 9 || !/^\d+$/.test(start ?? '') || !/^\d+$/.test(end ?? '')) return null;
  const attributes = new Map<string, string>();
  for (const part of (text as string).split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) attributes.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  return {
    contig: contig as string,
    source: source as string,
    type: type as string,
    start1: Number(start),
    end1: Number(end),
    rest: [score as string, strand as string, phase as string],
    attributes,
  };
}

const PARTS: Readonly<Record<string, string>> = {
  exon: 'exon',
  CDS: 'CDS',
  five_prime_UTR: 'five_prime_UTR',
  three_prime_UTR: 'three_prime_UTR',
};
const GENE_TYPE = /^(gene|ncRNA_gene|pseudogene|.*_gene)$/;
const TRANSCRIPT_TYPE = /^(mRNA|transcript|.*_transcript|.*RNA|.*_gene_segment)$/;

interface Model {
  readonly id: string;
  readonly biotype: string;
  readonly name: string;
  /** Original id of the gene; null for a gene. */
  readonly parent: string | null;
}

/** What the first pass learns. */
export class GeneModels {
  private readonly genes = new Map<string, Model>();
  private readonly transcripts = new Map<string, Model>();
  private readonly coding = new Set<string>();

  get codingTranscripts(): number {
    return [...this.coding].filter((id) => this.transcripts.has(id)).length;
  }

  get isFull(): boolean {
    return this.genes.size + this.transcripts.size > MAX_GENE_MODELS;
  }

  learn(feature: GffFeature): void {
    const { attributes, type } = feature;
    const id = attributes.get('ID');
    const parent = attributes.get('Parent')?.split(',')[0];
    if (type === 'CDS') {
      for (const name of attributes.get('Parent')?.split(',') ?? []) this.coding.add(name);
    }
    if (id === undefined || type in PARTS) return;
    if (parent === undefined && GENE_TYPE.test(type)) this.genes.set(id, geneModel(id, feature));
    if (parent !== undefined && TRANSCRIPT_TYPE.test(type)) {
      this.transcripts.set(id, { ...transcriptModel(id, feature), parent });
    }
  }

  /** The lines of the form that csq reads, none for what is not part of a gene model. */
  *convert(feature: GffFeature, contig: string): Generator<string> {
    const { attributes, type } = feature;
    const id = attributes.get('ID') ?? '';
    const gene = type in PARTS ? undefined : this.genes.get(id);
    const transcript = type in PARTS ? undefined : this.transcripts.get(id);
    if (gene !== undefined) {
      const text = `ID=gene:${gene.id};biotype=${gene.biotype};Name=${gene.name}`;
      yield joined(feature, contig, 'gene', text);
    } else if (transcript !== undefined) {
      const parent = this.genes.get(transcript.parent ?? '');
      if (parent === undefined) return;
      const biotype = this.biotypeOf(id, transcript, parent);
      const text = `ID=transcript:${transcript.id};Parent=gene:${parent.id};biotype=${biotype}`;
      yield joined(feature, contig, biotype === 'protein_coding' ? 'mRNA' : 'transcript', text);
    } else {
      const part = PARTS[type];
      if (part === undefined) return;
      for (const name of attributes.get('Parent')?.split(',') ?? []) {
        const owner = this.transcripts.get(name);
        if (owner === undefined || !this.genes.has(owner.parent ?? '')) continue;
        yield joined(feature, contig, part, `Parent=transcript:${owner.id}`);
      }
    }
  }

  /** NCBI names no biotype at transcripts: with a CDS it is coding, else what its gene is. */
  private biotypeOf(id: string, transcript: Model, gene: Model): string {
    if (transcript.biotype !== '') return transcript.biotype;
    if (this.coding.has(id)) return 'protein_coding';
    return gene.biotype === 'protein_coding' ? 'processed_transcript' : gene.biotype;
  }
}

function geneModel(id: string, { attributes }: GffFeature): Model {
  const bare = id.replace(/^gene[:-]/, '');
  const biotype =
    attributes.get('biotype') ??
    attributes.get('gene_biotype') ??
    attributes.get('gene_type') ??
    'unknown';
  const name = attributes.get('Name') ?? attributes.get('gene_name') ?? attributes.get('gene');
  return { id: bare, biotype, name: name ?? bare, parent: null };
}

function transcriptModel(id: string, feature: GffFeature): Omit<Model, 'parent'> {
  const { attributes } = feature;
  const bare = id.replace(/^(transcript:|rna-)/, '');
  const version = attributes.get('version');
  const hasVersion = /\.\d+(-\d+)?$/.test(bare) || version === undefined;
  const biotype =
    attributes.get('biotype') ??
    attributes.get('transcript_biotype') ??
    attributes.get('transcript_type') ??
    '';
  return { id: hasVersion ? bare : `${bare}.${version}`, biotype, name: bare };
}

function joined(feature: GffFeature, contig: string, type: string, attributes: string): string {
  const { source, start1, end1, rest } = feature;
  return [contig, source, type, start1, end1, ...rest, attributes].join('\t');
}
