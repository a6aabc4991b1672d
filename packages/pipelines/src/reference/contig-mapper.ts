/**
 * Which contig of the reference a source means: by the same name, by a synonym (`1`, `chr1`; `MT`,
 * `chrM`, `M`) or by a RefSeq or GenBank accession of GRCh37 or GRCh38. A length that is known from
 * the source's header or from the accession must be the reference's.
 */
import { AppError } from '@helixmesh/protocol';
import type { Contig } from '../germline/input.ts';
import { ASSEMBLY_SEQUENCES, isMitochondrial, synonyms } from './assemblies.ts';

export interface ContigMapper {
  /** The reference's contig, or null when the source's has none. */
  map(name: string): Contig | null;
}

export interface MapperOptions {
  /** For messages: the option that named the source, e.g. `--clinvar`. */
  readonly label: string;
  /** Lengths that the source's header states. */
  readonly statedLengths: ReadonlyMap<string, number>;
}

/** Throws CONTIG_MISMATCH when a stated length is not the reference's. */
export function contigMapper(contigs: readonly Contig[], options: MapperOptions): ContigMapper {
  const byName = new Map(contigs.map((contig) => [contig.name, contig]));
  const known = new Map<string, Contig | null>();
  const map = (name: string): Contig | null => {
    const cached = known.get(name);
    if (cached !== undefined) return cached;
    const contig = find(name, byName, options.statedLengths.get(name));
    known.set(name, contig);
    return contig;
  };
  for (const [name, lengthBases] of options.statedLengths) {
    const contig = map(name);
    if (contig === null || contig.lengthBases === lengthBases) continue;
    throw otherLength(options.label, { name, lengthBases }, contig);
  }
  return { map };
}

function find(
  name: string,
  byName: ReadonlyMap<string, Contig>,
  statedLength: number | undefined,
): Contig | null {
  const contig = byName.get(name) ?? bySynonym(name, byName) ?? byAccession(name, byName);
  if (contig === null || statedLength === undefined) return contig;
  // hg19's chrM is another sequence than MT; that alone does not make another assembly.
  const isOtherMt = isMitochondrial(contig.name) && statedLength !== contig.lengthBases;
  return isOtherMt ? null : contig;
}

function bySynonym(name: string, byName: ReadonlyMap<string, Contig>): Contig | null {
  for (const synonym of synonyms(name)) {
    const contig = byName.get(synonym);
    if (contig !== undefined) return contig;
  }
  return null;
}

/** Either side may use accessions. */
function byAccession(name: string, byName: ReadonlyMap<string, Contig>): Contig | null {
  const chromosomes = new Set(synonyms(name));
  for (const sequence of ASSEMBLY_SEQUENCES) {
    const isNamed = sequence.refseq === name || sequence.genbank === name;
    if (!isNamed && !chromosomes.has(sequence.name)) continue;
    for (const candidate of [...synonyms(sequence.name), sequence.refseq, sequence.genbank]) {
      const contig = byName.get(candidate);
      if (contig?.lengthBases === sequence.lengthBases) return contig;
    }
  }
  return null;
}

function otherLength(label: string, stated: Contig, contig: Contig): AppError {
  return new AppError(
    'CONTIG_MISMATCH',
    `${label}: its contig ${stated.name} has ${stated.lengthBases} bases, ` +
      `${contig.name} of the reference has ${contig.lengthBases}`,
    { hint: 'Give an annotation of the same genome assembly as the FASTA.' },
  );
}

/** CONTIG_MISMATCH for a source of which no contig is in the reference. */
export function noCommonContig(
  label: string,
  sourceNames: readonly string[],
  contigs: readonly Contig[],
): AppError {
  const theirs = sourceNames.slice(0, 3).join(', ') || 'none';
  const ours = contigs
    .slice(0, 3)
    .map((contig) => contig.name)
    .join(', ');
  return new AppError(
    'CONTIG_MISMATCH',
    `${label}: none of its contigs is in the reference (its first: ${theirs}; ` +
      `the reference’s first: ${ours})`,
    {
      hint: 'Give an annotation of the same genome, or rename its contigs with `bcftools annotate --rename-chrs`.',
    },
  );
}
