/** Runs the task on regions of low coverage over reads and gene models that a test states. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest, TaskKey } from '@helixmesh/protocol';
import { BUILTINS } from '../../builtins.ts';
import { parseBed } from '../../formats/region.ts';
import { runPrograms } from '../../reference/run-tools.ts';
import { type LowCoverage, lowCoverageSchema } from '../../report/model-low-coverage.ts';
import { sampleQcFile } from '../../report/testing/sample-parts.ts';
import { probeTool } from '../../tools/probe.ts';
import type { FileRef, Region } from '../input.ts';
import { lowCoverageStep } from '../low-coverage-step.ts';
import type { Karyotype } from '../ploidy.ts';

const DIGEST = `sha256:${'0'.repeat(64)}` as Digest;
/** Bases of every contig; the pseudo-autosomal region of X and Y is the first 1,000. */
export const CONTIG_BASES = 3_000;
export const PAR: readonly Region[] = ['chrX', 'chrY'].map((refName) => ({
  refName,
  start: 0,
  end: 1_000,
}));

export interface TestAlignment {
  readonly name: string;
  readonly refName: string;
  /** 0-based. */
  readonly start: number;
  readonly cigar: string;
  readonly flag?: number;
  readonly mapq?: number;
  /** Of every base. */
  readonly quality?: number;
  /** 0-based start of the mate on the same contig. */
  readonly mateStart?: number;
}

export interface TestExon extends Region {
  readonly gene: string;
}

export interface CoverageCase {
  readonly contigs: readonly string[];
  readonly reads: readonly TestAlignment[];
  /** Null: the reference has no gene models. */
  readonly exons: readonly TestExon[] | null;
  readonly karyotype?: Karyotype;
  /** Share of the reference that is covered, which tells a genome from a panel. */
  readonly breadth?: number;
  /** Bases of a contig that are N, by its name. */
  readonly unknown?: readonly Region[];
}

export interface CoverageOutcome {
  readonly low: LowCoverage | null;
  /** All regions of the BED, in its order, and its first line. */
  readonly bed: readonly Region[];
  readonly head: string;
  /** `samtools depth` over the whole BAM with the same rule, by contig and 0-based position. */
  readonly depths: ReadonlyMap<string, readonly number[]>;
}

export async function runCoverage(given: CoverageCase): Promise<CoverageOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'coverage-'));
  try {
    await writeInputs(folder, given);
    const { commands } = specOf(given);
    for (const command of commands) {
      if (command.kind === 'builtin') {
        const builtin = BUILTINS[command.name];
        assert.ok(builtin, command.name);
        await builtin({ folder, args: command.args, threads: 1, progress: () => undefined });
        continue;
      }
      const { argv } = await probeTool('samtools');
      const stages = command.stages.map(({ args }) => [...(argv ?? []), ...args]);
      await runPrograms(stages, { cwd: folder, stdoutFile: join(folder, command.stdout ?? '') });
    }
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    const bed = await read('low-coverage.bed');
    return {
      low: lowCoverageSchema.nullable().parse(JSON.parse(await read('low-coverage.json'))),
      bed: parseBed(bed),
      head: bed.split('\n')[0] ?? '',
      depths: depthsOf(folder, given.contigs),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function specOf({ exons, karyotype = 'not applicable' }: CoverageCase) {
  const names = ['ref.fa', 'ref.fa.fai', ...(exons === null ? [] : ['genes.gff3.gz'])];
  const file = (name: string): FileRef => ({ name, digest: DIGEST, sizeBytes: 1, location: name });
  const record = { digest: DIGEST, sizeBytes: 1 };
  return lowCoverageStep({
    karyotype,
    aligned: {
      key: DIGEST as string as TaskKey,
      outputs: { 'aligned.bam': record, 'aligned.bam.bai': record, 'qc.json': record },
    },
    input: {
      toolVersions: { samtools: '1' },
      reference: {
        name: 'r',
        digest: DIGEST,
        contigs: [],
        par: PAR,
        files: Object.fromEntries(names.map((name) => [name, file(name)])),
      },
    },
  });
}

async function writeInputs(folder: string, given: CoverageCase): Promise<void> {
  const { contigs, exons, breadth = 0.99, unknown = [] } = given;
  const tool = (name: string, args: readonly string[], input: string) =>
    execFileSync(name, args, { cwd: folder, input, stdio: ['pipe', 'pipe', 'ignore'] });
  const fasta = contigs.map((name) => {
    const bases = Array.from({ length: CONTIG_BASES }, (_, i) => 'ACGT'[i % 4]);
    for (const { refName, start, end } of unknown) {
      if (refName === name) bases.fill('N', start, end);
    }
    return `>${name}\n${bases.join('')}\n`;
  });
  await writeFile(join(folder, 'ref.fa'), fasta.join(''));
  tool('samtools', ['faidx', 'ref.fa'], '');
  const header = contigs.map((name) => `@SQ\tSN:${name}\tLN:${CONTIG_BASES}\n`).join('');
  const sam = `@HD\tVN:1.6\n${header}${given.reads.map(samLine).join('')}`;
  tool('samtools', ['sort', '--no-PG', '-o', 'aligned.bam', '-'], sam);
  tool('samtools', ['index', 'aligned.bam'], '');
  if (exons !== null) await writeFile(join(folder, 'genes.gff3.gz'), gff(exons));
  const qc = sampleQcFile();
  const coverage = {
    ...qc.coverage,
    breadth: [{ depth: 1, fraction: breadth }],
  };
  await writeFile(join(folder, 'qc.json'), JSON.stringify({ ...qc, coverage }));
}

function samLine(read: TestAlignment): string {
  const letters = [...read.cigar.matchAll(/(\d+)([MIS])/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  const { mateStart, quality = 35 } = read;
  const isPaired = mateStart !== undefined;
  const mate = isPaired ? ['=', mateStart + 1, 0] : ['*', 0, 0];
  const fields = [
    ...[read.name, (read.flag ?? 0) | (isPaired ? 1 : 0), read.refName, read.start + 1],
    ...[read.mapq ?? 60, read.cigar, ...mate, 'A'.repeat(letters)],
    String.fromCharCode(33 + quality).repeat(letters),
  ];
  return `${fields.join('\t')}\n`;
}

/** As `reference add` writes it: the CDS of a gene of one exon comes before its gene. */
function gff(exons: readonly TestExon[]): string {
  const lines = exons.map(({ refName, start, end, gene }) => {
    const row = (type: string, attributes: string) =>
      [refName, 'test', type, start + 1, end, '.', '+', '.', attributes].join('\t');
    return [
      row('CDS', `Parent=transcript:T${gene}`),
      row('gene', `ID=gene:G${gene};biotype=protein_coding;Name=${gene}`),
      row('mRNA', `ID=transcript:T${gene};Parent=gene:G${gene};biotype=protein_coding`),
      row('CDS', 'Parent=transcript:unknown'),
    ].join('\n');
  });
  return `${lines.join('\n')}\n`;
}

function depthsOf(
  folder: string,
  contigs: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const rule = ['-aa', '-J', '-s', '-q', '20', '-Q', '20'];
  const text = execFileSync('samtools', ['depth', ...rule, 'aligned.bam'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const depths = new Map<string, number[]>(contigs.map((name) => [name, []]));
  for (const line of text.trimEnd().split('\n')) {
    const [name = '', position1, depth] = line.split('\t');
    const ofContig = depths.get(name);
    if (ofContig !== undefined) ofContig[Number(position1) - 1] = Number(depth);
  }
  return depths;
}
