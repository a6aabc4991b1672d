/**
 * Simulates a person's genome, reads and annotation databases with known truth, all from one seed.
 *
 *   S1  The same options give the same bytes (under one version of zlib), in any folder.
 *   S2  Nothing is taken from a real genome, person or database; every file that can says so.
 *   S3  Truth is complete: reads differ from the reference by truth and sequencing errors alone.
 *
 * It does not simulate structural variants, contamination, GC bias, PCR errors, circular chrM,
 * alternative contigs or homology between genes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson, type Digest } from '@helixmesh/protocol';
import { fileDigest } from '../canonical/canonical-digest.ts';
import { CompressedWriter } from '../formats/gzip/bgzf-writer.ts';
import { formatBedLine } from '../formats/region.ts';
import { writeVcf } from '../formats/vcf.ts';
import { clinicalClass, makeDatabases } from './databases.ts';
import { formatGff3, type Gene, writeGenes } from './genes.ts';
import { makeContigs, referenceBases, type SimulatedContig, sharePar } from './genome.ts';
import { makeMolecules } from './molecules.ts';
import {
  type SimulationOptions,
  type SimulationOptionsInput,
  simulationOptionsSchema,
} from './options.ts';
import { indexVcf, writeFasta, writeFolder } from './output.ts';
import { simulateReads } from './reads.ts';
import { confidentRegions, formatParBed, genotypeText, truthLines, truthRecord } from './truth.ts';
import { type PlacedContig, placeVariants, type Variant } from './variants.ts';

export interface SimulationManifest {
  readonly schema: 'helixmesh/simulation/1';
  readonly notice: string;
  readonly options: SimulationOptions;
  readonly contigs: readonly { readonly name: string; readonly lengthBases: number }[];
  readonly genes: number;
  readonly readPairs: number;
  readonly variants: {
    readonly total: number;
    readonly snvs: number;
    readonly indels: number;
    readonly mitochondrial: number;
  };
  readonly planted: readonly PlantedTruth[];
  /** Of each data file's bytes; indexes are left out. */
  readonly digests: Readonly<Record<string, Digest>>;
}

export interface PlantedTruth {
  readonly refName: string;
  readonly pos1: number;
  readonly ref: string;
  readonly alt: string;
  readonly genotype: string;
  readonly gene: string;
  readonly effect: string;
  readonly significance: string;
}

export interface SimulationRequest extends SimulationOptionsInput {
  /** Must be new or empty. */
  readonly outDir: string;
}

const NOTICE = 'Synthetic data made by a simulation. It describes no person and no real variant.';
/** Reads compress to little less at higher levels, at several times the cost. */
const FASTQ_GZIP_LEVEL = 2;

/**
 * Writes the folder `outDir` as a whole: ref.fa, reads_R1/R2.fastq.gz, truth.vcf.gz, confident.bed,
 * par.bed, genes.gff3, clinvar/dbsnp/gnomad.vcf.gz, indexes and manifest.json. Throws OUTPUT_IN_USE
 * when there is something at that place, USAGE for options out of bounds, and TOOL_MISSING without
 * tabix.
 */
export async function simulate(request: SimulationRequest): Promise<SimulationManifest> {
  const { outDir, ...input } = request;
  const parsed = simulationOptionsSchema.safeParse(input);
  if (!parsed.success) {
    const told = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new AppError('USAGE', `this cannot be simulated: ${told.join('; ')}`, {
      hint: 'Give 1 to 24 contigs of 20,000 to 5,000,000 bases at a depth of 0.1 to 200.',
    });
  }
  return writeFolder(outDir, (folder) => writeSimulation(folder, parsed.data));
}

export interface SimulatedPerson {
  readonly contigs: readonly SimulatedContig[];
  readonly placed: readonly PlacedContig[];
  readonly genes: readonly Gene[];
  readonly variants: ReadonlyMap<string, readonly Variant[]>;
}

/** Everything but reads and files. */
export function simulatePerson(options: SimulationOptions): SimulatedPerson {
  const contigs = makeContigs(options);
  const genes: Gene[] = [];
  const ranges = contigs.map((contig) => {
    const own = writeGenes(contigs, contig, options);
    genes.push(...own);
    return { contig, genes: own, firstGene: genes.length - own.length };
  });
  sharePar(contigs);
  const placed = ranges.map((range) => ({
    ...range,
    contigs,
    reference: referenceBases(range.contig, contigs),
  }));
  const variants = new Map(
    placed.map((contig) => [contig.contig.name, placeVariants(contig, options)]),
  );
  return { contigs, placed, genes, variants };
}

async function writeSimulation(
  folder: string,
  options: SimulationOptions,
): Promise<SimulationManifest> {
  const person = simulatePerson(options);
  const { contigs, placed, genes, variants } = person;
  const path = (name: string) => join(folder, name);
  writeFasta(
    path('ref.fa'),
    placed.map(({ contig, reference }) => ({ name: contig.name, bases: reference })),
  );
  await writeFile(path('genes.gff3'), formatGff3(genes));
  await writeFile(path('par.bed'), formatParBed(contigs));
  const confident = confidentRegions(contigs, options);
  await writeFile(
    path('confident.bed'),
    confident.map((region) => `${formatBedLine(region)}\n`).join(''),
  );
  const truth = [...variants.values()].flat();
  await writeVcf(path('truth.vcf.gz'), {
    lines: truthLines(contigs),
    samples: [options.sampleId],
    records: truth.map(truthRecord),
  });
  for (const { name, lines, records } of makeDatabases(placed, variants, options.seed)) {
    await writeVcf(path(`${name}.vcf.gz`), { lines, samples: [], records });
  }
  const readPairs = writeReads(folder, person, options);
  await Promise.all(VCF_NAMES.map((name) => indexVcf(path(name))));
  const digests: Record<string, Digest> = {};
  for (const name of DATA_NAMES) digests[name] = await fileDigest(path(name));
  const manifest = describe(person, options, { readPairs, digests });
  await writeFile(path('manifest.json'), `${canonicalJson(manifest)}\n`);
  return manifest;
}

const VCF_NAMES = ['truth', 'clinvar', 'dbsnp', 'gnomad'].map((name) => `${name}.vcf.gz`);
const FASTQ_NAMES = ['reads_R1.fastq.gz', 'reads_R2.fastq.gz'] as const;
const DATA_NAMES = [
  ...['ref.fa', ...FASTQ_NAMES, ...VCF_NAMES],
  ...['confident.bed', 'par.bed', 'genes.gff3'],
];

function writeReads(folder: string, person: SimulatedPerson, options: SimulationOptions): number {
  const molecules = makeMolecules(person.contigs, person.variants, options);
  const writers = FASTQ_NAMES.map(
    (name) =>
      new CompressedWriter(join(folder, name), { compression: 'gzip', level: FASTQ_GZIP_LEVEL }),
  );
  try {
    return simulateReads(molecules, options, (mate, text) => writers[mate]?.write(text));
  } finally {
    for (const writer of writers) writer.close();
  }
}

function describe(
  person: SimulatedPerson,
  options: SimulationOptions,
  made: Pick<SimulationManifest, 'readPairs' | 'digests'>,
): SimulationManifest {
  const all = [...person.variants.values()].flat();
  const snvs = all.filter(({ ref, alt }) => ref.length === 1 && alt.length === 1).length;
  const mitochondrial = all.filter(({ fraction }) => fraction !== null).length;
  return {
    schema: 'helixmesh/simulation/1',
    notice: NOTICE,
    options,
    contigs: person.contigs.map(({ name, bases }) => ({ name, lengthBases: bases.length })),
    genes: person.genes.length,
    variants: { total: all.length, snvs, indels: all.length - snvs, mitochondrial },
    planted: all.flatMap((variant) => {
      const { gene, effect, refName, ref, alt, start } = variant;
      if (gene === null || effect === null) return [];
      const { significance } = clinicalClass(effect, gene);
      const genotype = genotypeText(variant);
      return [
        { refName, pos1: start + 1, ref, alt, genotype, gene: gene.symbol, effect, significance },
      ];
    }),
    ...made,
  };
}
