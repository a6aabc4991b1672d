/**
 * freebayes against bcftools by depth: the table of docs/adr/0004-default-caller.md.
 *
 * Usage: npx node --conditions=development benchmarks/accuracy/callers.ts [--seeds 3] [DATA]
 *
 * DATA is a folder with the real test data (default: HELIXMESH_TEST_DATA, else ../shared/data).
 * Needs fastp, bwa, samtools, bcftools and freebayes; takes about 4 minutes on 2 cores; prints
 * Markdown on stdout and progress on stderr. Reads are aligned once per set and thinned with
 * `samtools view -s SEED.FRACTION`; figures of several seeds are means, counts are sums.
 *
 * What is NOT measured: whole genomes, other machines' reads, deep (> 30×) data, run time.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EvaluationResult, evaluate } from '@helixmesh/pipelines';
import { shell } from '@helixmesh/pipelines/testing/shell';
import { AppError } from '@helixmesh/protocol';

interface DataSet {
  readonly name: string;
  readonly r1: string;
  readonly r2: string;
  readonly truth: string;
  readonly confident: string;
  /** Shell command that writes the plain FASTA to stdout. */
  readonly fasta: string;
  /** As the data's README states it. */
  readonly depth: number;
}

const SETS: readonly DataSet[] = [
  {
    name: 'giab_hg002_chr20',
    r1: 'HG002_R1.fastq.gz',
    r2: 'HG002_R2.fastq.gz',
    truth: 'truth_v4.2.1.vcf.gz',
    confident: 'confident_v4.2.1.bed',
    fasta: 'bgzip -dc "$DATA/chr20.fa.gz"',
    depth: 29.6,
  },
  {
    name: 'mini24_hg002',
    r1: 'HG002sim_R1.fastq.gz',
    r2: 'HG002sim_R2.fastq.gz',
    truth: 'truth.vcf.gz',
    confident: 'confident.bed',
    fasta: 'cat "$DATA/ref.fa"',
    depth: 30,
  },
];

/** Mean depths to thin to; null is all reads. */
const DEPTHS = [null, 25, 20, 15, 10] as const;

const RG = '@RG\\tID:S\\tSM:S';
const ALIGN = [
  'bgzip_or_cat > ref.fa && samtools faidx ref.fa && bwa index ref.fa',
  'fastp -i "$DATA/$R1" -I "$DATA/$R2" --stdout -w 1 -j fastp.json -h fastp.html' +
    ` | bwa mem -p -K 100000000 -Y -t 2 -R '${RG}' ref.fa - | samtools fixmate -m -u - -` +
    ' | samtools sort -u -T sort - | samtools markdup -T markdup - all.bam',
  'samtools index all.bam',
].join(' && ');

const CALL = [
  'freebayes -f ref.fa aligned.bam > freebayes.vcf',
  'bcftools mpileup -f ref.fa aligned.bam | bcftools call -mv -O v -o bcftools.vcf',
].join(' && ');

/** One row per way of calling: a shell command that writes `row.vcf.gz` from the plain calls. */
const WAYS: Readonly<Record<string, string>> = {
  'freebayes, no filter': 'bcftools view -O z -o row.vcf.gz freebayes.vcf',
  'freebayes, QUAL > 1': "bcftools view -i 'QUAL>1' -O z -o row.vcf.gz freebayes.vcf",
  'freebayes, QUAL > 20': "bcftools view -i 'QUAL>20' -O z -o row.vcf.gz freebayes.vcf",
  'bcftools, no filter': 'bcftools view -O z -o row.vcf.gz bcftools.vcf',
  'bcftools, QUAL > 20': "bcftools view -i 'QUAL>20' -O z -o row.vcf.gz bcftools.vcf",
  'union of both': merged('isec -n +1'),
  'both agree': merged('isec -n =2'),
};

/** Normalised to one allele per record, joined by position and alleles; freebayes goes first. */
function merged(isec: string): string {
  const norm = (from: string, to: string, filter: string): string =>
    `bcftools view -i '${filter}' ${from} | bcftools norm -f ref.fa -m -any -a -O u` +
    ` | bcftools sort -O u | bcftools norm -d exact -O z -o ${to} && bcftools index -f ${to}`;
  return [
    norm('freebayes.vcf', 'f.vcf.gz', 'QUAL>1 && GT="alt"'),
    norm('bcftools.vcf', 'b.vcf.gz', 'GT="alt"'),
    `rm -rf isec && bcftools ${isec} -p isec -O z f.vcf.gz b.vcf.gz`,
    isec.endsWith('=2')
      ? 'cp isec/0000.vcf.gz row.vcf.gz'
      : // Records of freebayes, then those that only bcftools has.
        'bcftools isec -C -w 1 -O z -o only.vcf.gz b.vcf.gz f.vcf.gz && bcftools index -f only.vcf.gz' +
        ' && bcftools concat -a -O z -o row.vcf.gz f.vcf.gz only.vcf.gz',
  ].join(' && ');
}

function dataFolder(argument: string | undefined): string {
  const beside = join(import.meta.dirname, '../../../shared/data');
  const folder = argument ?? process.env['HELIXMESH_TEST_DATA'] ?? beside;
  if (existsSync(folder)) return folder;
  throw new AppError('INPUT_NOT_FOUND', 'the folder with the real test data is absent', {
    hint: 'Name it as the last argument or in HELIXMESH_TEST_DATA.',
  });
}

/** The results of every way of calling at one depth with one seed. */
async function measure(
  set: DataSet,
  data: string,
  folder: string,
): Promise<ReadonlyMap<string, EvaluationResult>> {
  await shell(folder, `samtools index aligned.bam && ${CALL}`);
  const results = new Map<string, EvaluationResult>();
  for (const [way, command] of Object.entries(WAYS)) {
    await shell(folder, command);
    const result = await evaluate({
      truth: join(data, set.truth),
      confident: join(data, set.confident),
      calls: join(folder, 'row.vcf.gz'),
      reference: join(folder, 'ref.fa'),
    });
    results.set(way, result);
  }
  return results;
}

function row(name: string, results: readonly EvaluationResult[]): string {
  const mean = (kind: 'all' | 'snp' | 'indel'): string => {
    const sum = results.reduce((total, result) => total + (result[kind].f1 ?? 0), 0);
    return (sum / results.length).toFixed(4);
  };
  const total = (field: 'truePositivesTruth' | 'falseNegatives' | 'falsePositives'): number =>
    results.reduce((sum, result) => sum + result.all[field], 0);
  const counts = `${total('truePositivesTruth')}/${total('falseNegatives')}/${total('falsePositives')}`;
  return `| ${name} | ${mean('snp')} | ${mean('indel')} | ${mean('all')} | ${counts} |`;
}

async function measureSet(set: DataSet, data: string, seeds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'helixmesh-callers-'));
  try {
    process.stderr.write(`${set.name}: aligning\n`);
    const env = { DATA: data, R1: set.r1, R2: set.r2 };
    await shell(folder, ALIGN.replace('bgzip_or_cat', set.fasta), env);
    for (const depth of DEPTHS) {
      const perWay = new Map<string, EvaluationResult[]>();
      for (let seed = 1; seed <= (depth === null ? 1 : seeds); seed += 1) {
        process.stderr.write(`${set.name}: ${depth ?? 'all'}× seed ${seed}\n`);
        const fraction = depth === null ? '' : (depth / set.depth).toFixed(4).slice(1);
        const thin =
          depth === null
            ? 'cp all.bam aligned.bam'
            : `samtools view -b -s ${seed}${fraction} -o aligned.bam all.bam`;
        await shell(folder, thin);
        for (const [way, result] of await measure(set, data, folder)) {
          perWay.set(way, [...(perWay.get(way) ?? []), result]);
        }
      }
      process.stdout.write(
        `\n${set.name}, ${depth === null ? `all (${set.depth}×)` : `${depth}×`}\n\n`,
      );
      process.stdout.write(
        '| calls | SNP F1 | non-SNP F1 | F1 | TP/FN/FP |\n|---|---|---|---|---|\n',
      );
      for (const [way, results] of perWay) process.stdout.write(`${row(way, results)}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '3' } },
});
const root = dataFolder(positionals[0]);
for (const set of SETS) await measureSet(set, join(root, set.name), Number(values.seeds));
