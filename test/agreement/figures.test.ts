/**
 * The figures that we report are those which the tools themselves print for the same files, asked
 * again from outside and in another way where there is one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cleanUp, type Daemon, runCli, startDaemon } from '../support/daemon.ts';
import { type Bench, SAMPLE, type Sample, simulatedSample } from '../support/sample.ts';

/** Fewer comparisons mean that a list came out empty and the test showed nothing. */
const COMPARED_MIN = 200;

let sample: Sample;
let bench: Bench;
let daemon: Daemon | null = null;
let compared = 0;

before(async () => {
  sample = await simulatedSample({ contigs: 3, basesPerContig: 20_000, coverage: 20 });
  bench = await sample.newBench();
  daemon = await startDaemon(bench);
  const { r1, r2, reference, outDir } = bench.submission();
  const reads = ['--r1', r1, '--r2', r2 ?? '', '--reference', reference];
  const run = ['run', '--sample', SAMPLE, ...reads, '--out', outDir];
  const { code, stderr } = await runCli(bench.dataDir, run);
  assert.equal(code, 0, stderr);
});
after(async () => {
  if (bench !== undefined) await cleanUp(bench.dataDir, daemon);
  await sample?.remove();
});

const file = (suffix: string) => join(bench.outDir, `${SAMPLE}${suffix}`);
// biome-ignore lint/suspicious/noExplicitAny: only the fields that are compared are read.
const json = async (path: string): Promise<any> => JSON.parse(await readFile(path, 'utf8'));

function tool(name: string, ...args: readonly string[]): string {
  return execFileSync(name, args, {
    cwd: bench.folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Equal, or for a printed decimal equal within the half of its last digit. */
function same(what: string, ours: number | null | undefined, theirs: number, within = 0): void {
  assert.ok(typeof ours === 'number' && Number.isFinite(ours), `${what}: we say ${ours}`);
  assert.ok(Number.isFinite(theirs), `${what}: the tool says ${theirs}`);
  assert.ok(Math.abs(ours - theirs) <= within, `${what}: we say ${ours}, the tool ${theirs}`);
  compared++;
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));
}

test('counts of alignments are those of samtools flagstat and stats', async () => {
  const { alignment, duplication } = await json(file('.qc.json'));
  const flagstat = JSON.parse(tool('samtools', 'flagstat', '-O', 'json', file('.bam')));
  const flags = flagstat['QC-passed reads'];
  same('primary', alignment.primary, flags.primary);
  same('primary mapped', alignment.primaryMapped, flags['primary mapped']);
  same('secondary', alignment.secondary, flags.secondary);
  same('supplementary', alignment.supplementary, flags.supplementary);
  same('properly paired', alignment.properlyPaired, flags['properly paired']);
  const duplicates = Number(
    tool('samtools', 'view', '-c', '-f', '1024', '-F', '2304', file('.bam')),
  );
  same('duplicates', duplication.markdupFraction, duplicates / flags.primary);
  const stats = rows(tool('samtools', 'stats', '-d', file('.bam')));
  const errors = stats.find(([kind, name]) => kind === 'SN' && name === 'error rate:');
  same('mismatches', alignment.mismatchFraction, Number(errors?.[2]));
});

test('depth and breadth are those of samtools coverage and, base by base, of samtools depth', async () => {
  const { coverage } = await json(file('.qc.json'));
  const contigs = rows(tool('samtools', 'coverage', file('.bam')));
  assert.ok(contigs.length >= 3);
  for (const [name, , , , , percent, meanDepth] of contigs) {
    const ours = coverage.contigs.find((each: { refName: string }) => each.refName === name);
    same(`depth of ${name}`, ours.meanDepth, Number(meanDepth));
    // A percentage of six digits.
    same(`breadth of ${name}`, ours.breadth1, Number(percent) / 100, 5e-6);
  }
  const depths = rows(tool('samtools', 'depth', '-a', file('.bam'))).map(([, , depth]) =>
    Number(depth),
  );
  for (const { depth, fraction } of coverage.breadth) {
    const deep = depths.filter((each) => each >= depth).length;
    same(`breadth at ${depth}`, fraction, deep / depths.length, 1e-12);
  }
  coverage.depthHistogram.counts.forEach((bases: number, depth: number, all: number[]) => {
    if (depth === all.length - 1) return;
    same(`bases at ${depth}`, bases, depths.filter((each) => each === depth).length);
  });
});

test('regions of low coverage are those of samtools depth, with half the depth for one copy', async () => {
  const { lowCoverage, sample: person } = await json(file('.report.json'));
  const par = rows(await readFile(join(sample.folder, 'input', 'par.bed'), 'utf8'));
  const isPar = (name: string, at: number) =>
    par.some(([contig, start, end]) => contig === name && at >= Number(start) && at < Number(end));
  const isXy = person.sex.karyotype === 'XY';
  const low: [string, number, number][] = [];
  let examined = 0;
  let threshold = 0;
  const counted = ['-aa', '-J', '-s', '-q', '20', '-Q', '20'];
  for (const [name = '', at1, depth] of rows(tool('samtools', 'depth', ...counted, file('.bam')))) {
    const at = Number(at1) - 1;
    if (name === 'chrY' && (!isXy || isPar(name, at))) continue;
    const before = threshold;
    threshold = isXy && /^chr[XY]$/.test(name) && !isPar(name, at) ? 10 : 20;
    examined++;
    if (Number(depth) >= threshold) continue;
    const last = low.at(-1);
    if (last?.[0] === name && last[2] === at && before === threshold) last[2] = at + 1;
    else low.push([name, at, at + 1]);
  }
  const bases = low.reduce((sum, [, start, end]) => sum + end - start, 0);
  same('examined bases', lowCoverage.examinedBases, examined);
  same('regions of low coverage', lowCoverage.totalRegions, low.length);
  same('bases of low coverage', lowCoverage.totalBases, bases);
  const bed = rows(await readFile(file('.low-coverage.bed'), 'utf8'));
  assert.deepEqual(
    bed.map(([name, start, end]) => [name, Number(start), Number(end)]),
    low,
  );
  const lengths = low.map(([, start, end]) => end - start).sort((a, b) => b - a);
  lowCoverage.regions.forEach((region: { start: number; end: number }, i: number) => {
    same(`length of region ${i}`, region.end - region.start, lengths[i] ?? Number.NaN);
  });
});

test('figures of the reads are those of fastp, which is asked again', async () => {
  const qc = await json(file('.qc.json'));
  const mates = ['-i', sample.r1, '-I', sample.r2, '-w', '1'];
  tool('fastp', ...mates, '-o', 'o1.fq', '-O', 'o2.fq', '-j', 'again.json', '-h', 'again.html');
  const fastp = await json(join(bench.folder, 'again.json'));
  for (const [side, theirs] of [
    ['before', fastp.summary.before_filtering],
    ['after', fastp.summary.after_filtering],
  ] as const) {
    const ours = qc.reads[side];
    same(`reads ${side}`, ours.reads, theirs.total_reads);
    same(`bases ${side}`, ours.bases, theirs.total_bases);
    same(`Q20 ${side}`, ours.q20Fraction, theirs.q20_rate);
    same(`Q30 ${side}`, ours.q30Fraction, theirs.q30_rate);
    same(`GC ${side}`, ours.gcFraction, theirs.gc_content);
    same(`length 1 ${side}`, ours.meanLength1, theirs.read1_mean_length);
    same(`length 2 ${side}`, ours.meanLength2, theirs.read2_mean_length);
  }
  same('duplication', qc.duplication.fastpFraction, fastp.duplication.rate);
  same('low quality', qc.filtered.lowQuality, fastp.filtering_result.low_quality_reads);
  same('too many N', qc.filtered.tooManyN, fastp.filtering_result.too_many_N_reads);
  same('too short', qc.filtered.tooShort, fastp.filtering_result.too_short_reads);
  same('adapters', qc.filtered.adapterTrimmedReads, fastp.adapter_cutting.adapter_trimmed_reads);
});

test('counts of variants are those of bcftools stats', async () => {
  const { counts } = await json(file('.findings.json'));
  const report = await json(file('.report.json'));
  const stats = rows(tool('bcftools', 'stats', file('.vcf.gz')));
  const number = (what: string) =>
    Number(stats.find(([kind, , name]) => kind === 'SN' && name === `number of ${what}:`)?.[3]);
  same('records', counts.total, number('records'));
  same('SNVs', counts.snv, number('SNPs'));
  same('indels', counts.indel, number('indels'));
  const [, , transitions, transversions, printed] =
    stats.find(([kind]) => kind === 'TSTV')?.map(Number) ?? [];
  const tiTv = report.qc.metrics.find(({ id }: { id: string }) => id === 'ti-tv').value;
  // Ours has four decimals, the printed one two.
  same('Ti/Tv', tiTv, (transitions ?? 0) / (transversions ?? 0), 5e-5);
  same('Ti/Tv as printed', tiTv, printed ?? Number.NaN, 0.005);
});

test('enough figures were compared', (t) => {
  t.diagnostic(`${compared} figures`);
  assert.ok(compared >= COMPARED_MIN, `only ${compared} figures were compared`);
});
