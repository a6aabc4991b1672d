/** A simulated sample with its prepared reference, made once for each test file. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePaths } from '@helixmesh/daemon/data-folder';
import { addReference, simulate } from '@helixmesh/pipelines';
import type { JobSubmissionInput } from '@helixmesh/protocol';

export interface SampleSize {
  readonly contigs: number;
  readonly basesPerContig: number;
  readonly coverage: number;
  /** With gene models and databases the annotation takes about a second more. */
  readonly annotated?: boolean;
}

/** Three contigs at a depth at which one sample takes a few seconds. */
const SMALL: SampleSize = { contigs: 3, basesPerContig: 20_000, coverage: 8 };

export const SAMPLE = 'CANARY-5Q7X';
export const REFERENCE = 'simulated';

export interface Sample {
  readonly folder: string;
  readonly r1: string;
  readonly r2: string;
  /** A new data folder that has the reference already, and an output folder beside it. */
  newBench(): Promise<Bench>;
  remove(): Promise<void>;
}

export interface Bench {
  readonly folder: string;
  readonly dataDir: string;
  readonly outDir: string;
  /** Environment for the daemon. */
  readonly env: Readonly<Record<string, string>>;
  submission(changes?: Partial<JobSubmissionInput>): JobSubmissionInput;
}

export async function simulatedSample(size: SampleSize = SMALL): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'hm-e2e-'));
  const input = join(folder, 'input');
  const { annotated = false, ...options } = size;
  await simulate({ outDir: input, sampleId: SAMPLE, seed: 11, mitochondrion: false, ...options });
  const file = (name: string) => join(input, name);
  const annotation = {
    gff: file('genes.gff3'),
    clinvar: file('clinvar.vcf.gz'),
    dbsnp: file('dbsnp.vcf.gz'),
    gnomad: file('gnomad.vcf.gz'),
  };
  const references = join(folder, 'references');
  await addReference(
    {
      name: REFERENCE,
      fasta: file('ref.fa'),
      par: file('par.bed'),
      ...(annotated ? annotation : {}),
    },
    { storeDir: references },
  );
  const reads = { r1: file('reads_R1.fastq.gz'), r2: file('reads_R2.fastq.gz') };
  return {
    folder,
    ...reads,
    newBench: () => newBench(folder, { references, reads, env: annotated ? {} : WITHOUT_SNPEFF }),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Asking SnpEff for its version starts a Java machine: half a second of each daemon's start. */
const WITHOUT_SNPEFF = { HELIXMESH_SNPEFF_JAR: '/nowhere/snpeff.jar' };

async function newBench(
  parent: string,
  {
    references,
    reads,
    env,
  }: { references: string; reads: { r1: string; r2: string }; env: Bench['env'] },
): Promise<Bench> {
  const folder = await mkdtemp(join(parent, 'b-'));
  const dataDir = join(folder, 'data');
  const outDir = join(folder, 'out');
  await mkdir(dataDir, { mode: 0o700 });
  await cp(references, nodePaths(dataDir).referenceRoot, { recursive: true });
  const base = { pipeline: 'germline', sampleId: SAMPLE, reference: REFERENCE, outDir } as const;
  return {
    folder,
    dataDir,
    outDir,
    env,
    submission: (changes = {}) => ({ ...base, ...reads, ...changes }),
  };
}
