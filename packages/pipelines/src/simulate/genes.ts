/**
 * Coding genes written into the genome: both strands, several exons with untranslated ends, splice
 * sites GT…AG, a reading frame from ATG to a stop with none before it. And their GFF3, in the form
 * of Ensembl that bcftools csq reads.
 */
import type { Region } from '../germline/input.ts';
import { aminoAcid, reverseComplement, toBytes, toText } from './bases.ts';
import { parPairs, type SimulatedContig } from './genome.ts';
import type { SimulationOptions } from './options.ts';
import { Random } from './random.ts';

export interface Gene {
  /** Such as `SYN7G2`: the second gene of chr7. */
  readonly symbol: string;
  readonly geneId: string;
  readonly transcriptId: string;
  /** Number for GENEINFO. */
  readonly number: number;
  readonly refName: string;
  readonly strand: '+' | '-';
  readonly region: Region;
  /** In the order of the contig, as are the coding parts. */
  readonly exons: readonly Region[];
  readonly cds: readonly Region[];
}

const UTR_BASES = 60;
const GFF_SOURCE = 'synthetic';
const GENE_NUMBER_BASE = 990_000_000;
/** Kept free at both ends of a contig's part. */
const MARGIN_BASES = 500;

/** Puts the genes on a contig and writes their bases into it. */
export function writeGenes(
  contigs: readonly SimulatedContig[],
  contig: SimulatedContig,
  options: SimulationOptions,
): Gene[] {
  if (contig.kind === 'M') return [];
  const random = new Random(options.seed, `genes ${contig.name}`);
  const [par1, par2] = parPairs(contigs);
  const isY = contig.kind === 'Y';
  const from = isY ? (par1?.y.end ?? 0) : 0;
  const to = isY ? (par2?.y.start ?? 0) : contig.bases.length;
  const slotBases = Math.floor((to - from) / Math.max(1, options.genesPerContig));
  const genes: Gene[] = [];
  for (let i = 0; i < options.genesPerContig; i++) {
    const model = randomModel(random);
    const room = slotBases - 2 * MARGIN_BASES - model.bases.length;
    if (room < 0) continue;
    const start = from + i * slotBases + MARGIN_BASES + random.below(room + 1);
    const strand = (i + contigs.indexOf(contig)) % 2 === 0 ? '+' : '-';
    genes.push(placeGene({ contig, contigs, model, start, strand, index: i }));
  }
  return genes;
}

interface GeneModel {
  /** In the direction of transcription. */
  readonly bases: Uint8Array;
  readonly exons: readonly (readonly [number, number])[];
  readonly cds: readonly (readonly [number, number])[];
}

function randomModel(random: Random): GeneModel {
  const cds = randomCds(random, random.between(120, 320));
  const exonCount = random.between(3, 5);
  const cuts = [0];
  for (let i = 1; i < exonCount; i++) {
    cuts.push(Math.floor((cds.length * i) / exonCount) + random.between(-20, 20));
  }
  cuts.push(cds.length);
  let text = randomText(random, UTR_BASES);
  const exons: [number, number][] = [];
  const coding: [number, number][] = [];
  for (let i = 0; i < exonCount; i++) {
    const part = cds.slice(cuts[i], cuts[i + 1]);
    const codingFrom = text.length;
    const exonFrom = i === 0 ? 0 : codingFrom;
    text += part;
    coding.push([codingFrom, text.length]);
    if (i === exonCount - 1) text += randomText(random, UTR_BASES);
    exons.push([exonFrom, text.length]);
    if (i < exonCount - 1) text += `GTAAGT${randomText(random, random.between(120, 500))}TTTCAG`;
  }
  return { bases: toBytes(text), exons, cds: coding };
}

function randomCds(random: Random, codons: number): string {
  let text = 'ATG';
  for (let i = 0; i < codons; i++) {
    let codon = randomText(random, 3);
    while (aminoAcid(codon) === '*') codon = randomText(random, 3);
    text += codon;
  }
  return text + random.pick(['TAA', 'TAG', 'TGA']);
}

function randomText(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += 'ACGT'[random.uint32() >>> 30];
  return text;
}

interface Placement {
  readonly contig: SimulatedContig;
  readonly contigs: readonly SimulatedContig[];
  readonly model: GeneModel;
  readonly start: number;
  readonly strand: '+' | '-';
  readonly index: number;
}

function placeGene(placement: Placement): Gene {
  const { contig, contigs, model, start, strand, index } = placement;
  const { length } = model.bases;
  contig.bases.set(strand === '+' ? model.bases : reverseComplement(model.bases), start);
  const place = ([from, to]: readonly [number, number]): Region => {
    const [a, b] = strand === '+' ? [from, to] : [length - to, length - from];
    return { refName: contig.name, start: start + a, end: start + b };
  };
  const ordered = (parts: GeneModel['exons']) =>
    parts.map(place).sort((left, right) => left.start - right.start);
  const number = (contigs.indexOf(contig) + 1) * 1000 + index + 1;
  return {
    symbol: `SYN${contig.name.slice(3)}G${index + 1}`,
    geneId: `SYNG${String(number).padStart(8, '0')}`,
    transcriptId: `SYNT${String(number).padStart(8, '0')}`,
    number: GENE_NUMBER_BASE + number,
    refName: contig.name,
    strand,
    region: place([0, length]),
    exons: ordered(model.exons),
    cds: ordered(model.cds),
  };
}

/** Where each base of the coding sequence lies, in the direction of transcription. */
export function codingPositions(gene: Gene): readonly number[] {
  const positions = gene.cds.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
  return gene.strand === '+' ? positions : positions.reverse();
}

/** The coding sequence in the direction of transcription. */
export function codingSequence(gene: Gene, bases: Uint8Array): string {
  const parts = gene.cds.map(({ start, end }) => toText(bases.subarray(start, end)));
  const text = parts.join('');
  return gene.strand === '+' ? text : toText(reverseComplement(toBytes(text)));
}

export function formatGff3(genes: readonly Gene[]): string {
  return ['##gff-version 3', '# synthetic genes, not of any person', ...genes.flatMap(geneLines)]
    .map((line) => `${line}\n`)
    .join('');
}

function geneLines(gene: Gene): string[] {
  const line = (type: string, region: Region, phase: string, attributes: string) =>
    [
      ...[gene.refName, GFF_SOURCE, type, region.start + 1, region.end],
      ...['.', gene.strand, phase, attributes],
    ].join('\t');
  const parent = `Parent=transcript:${gene.transcriptId}`;
  const coding = 'biotype=protein_coding';
  const transcript = `ID=transcript:${gene.transcriptId};Parent=gene:${gene.geneId};${coding}`;
  const phases = cdsPhases(gene);
  return [
    line(
      'gene',
      gene.region,
      '.',
      `ID=gene:${gene.geneId};Name=${gene.symbol};${coding};gene_id=${gene.geneId}`,
    ),
    line('mRNA', gene.region, '.', `${transcript};transcript_id=${gene.transcriptId}`),
    ...gene.exons.map((exon) => line('exon', exon, '.', parent)),
    ...gene.cds.map((part, i) =>
      line('CDS', part, String(phases[i]), `ID=CDS:${gene.transcriptId};${parent}`),
    ),
  ];
}

/** Bases to skip at the start of each part, in its own direction, to the next whole codon. */
function cdsPhases(gene: Gene): readonly number[] {
  const indices = gene.cds.map((_, i) => i);
  if (gene.strand === '-') indices.reverse();
  const phases: number[] = [];
  let before = 0;
  for (const i of indices) {
    phases[i] = (3 - (before % 3)) % 3;
    const part = gene.cds[i];
    before += part === undefined ? 0 : part.end - part.start;
  }
  return phases;
}
