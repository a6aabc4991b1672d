import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bench, makeBench, type Outcome, runCli } from './testing/cli.ts';

const HEAD = ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO'];

/** A VCF of `samples`; a record is `POS REF ALT GT…`, one genotype for each sample. */
function vcf(samples: readonly string[], records: readonly string[]): string {
  const format = samples.length === 0 ? [] : ['FORMAT'];
  const rows = records.map((text) => {
    const [pos, ref, alt, ...genotypes] = text.split(' ');
    return ['c1', pos, '.', ref, alt, '.', '.', '.', ...format.map(() => 'GT'), ...genotypes];
  });
  const lines = [[...HEAD, ...format, ...samples], ...rows].map((cells) => cells.join('\t'));
  return ['##fileformat=VCFv4.2', ...lines, ''].join('\n');
}

/** Two samples in each file: the first ones differ everywhere, DAD of both nearly nowhere. */
async function bench(t: TestContext): Promise<Bench> {
  const made = await makeBench(t);
  const write = (name: string, text: string) => writeFile(join(made.folder, name), text);
  await write('ref.fa', '>c1\nACGTTGCAAGCTCATGGATCCTAGTGACCATGCATTAGC\n');
  await write('ref.fa.fai', 'c1\t39\t4\t39\t40\n');
  const truth = ['5 T A 0/0 0/1', '15 T A 0/0 0/1'];
  await write('truth.vcf', vcf(['MUM', 'DAD'], truth));
  await write('calls.vcf', vcf(['KID', 'DAD'], ['5 T A 0/0 0/1', '26 G C 1/1 0/1']));
  await write('sites-only.vcf', vcf([], ['5 T A']));
  return made;
}

function run(made: Bench, line: string): Promise<Outcome> {
  return runCli(made, `evaluate --reference ref.fa ${line}`.split(' '));
}

test('samples of files with many are chosen by name, the first ones else', async (t) => {
  const made = await bench(t);
  const counts = async (flags: string) => {
    const outcome = await run(made, `--truth truth.vcf --calls calls.vcf --json${flags}`);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { all } = JSON.parse(outcome.stdout);
    return [all.truePositivesTruth, all.falseNegatives, all.falsePositives];
  };
  assert.deepEqual(await counts(' --truth-sample DAD --calls-sample DAD'), [1, 1, 1]);
  assert.deepEqual(await counts(' --truth-sample DAD'), [0, 2, 1]);
  assert.deepEqual(await counts(''), [0, 0, 1]);
});

test('a sample that is not there is refused with the names that are', async (t) => {
  const made = await bench(t);
  const wrong = await run(made, '--truth truth.vcf --calls calls.vcf --calls-sample MUM');
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /^error: calls\.vcf has no sample MUM\n {2}→ .*: KID, DAD\.\n/);
  const none = await run(made, '--truth sites-only.vcf --calls calls.vcf');
  assert.equal(none.code, 64);
  assert.match(none.stderr, /^error: sites-only\.vcf has no sample, so no genotypes/);
});

test('--sites lists what is missed and what is false, and stands whole or not at all', async (t) => {
  const made = await bench(t);
  const dad = '--truth truth.vcf --calls calls.vcf --truth-sample DAD --calls-sample DAD';
  const done = await run(made, `${dad} --sites sites.tsv`);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual((await readFile(join(made.folder, 'sites.tsv'), 'utf8')).split('\n'), [
    'contig\tpos1\tref\talt\tgenotype\tstatus\treason\tkind',
    'c1\t15\tT\tA\t0/1\tFN\tallele\tsnp',
    'c1\t26\tG\tC\t0/1\tFP\tallele\tsnp',
    '',
  ]);
  const failed = await run(made, `--truth truth.vcf --calls absent.vcf --sites other.tsv`);
  assert.equal(failed.code, 66);
  const left = await readdir(made.folder);
  assert.deepEqual(
    left.filter((name) => name.includes('tsv')),
    ['sites.tsv'],
  );
});

test('a list of sites that cannot be written fails in words and leaves nothing', async (t) => {
  const made = await bench(t);
  const nowhere = await run(made, '--truth truth.vcf --calls calls.vcf --sites no/sites.tsv');
  assert.equal(nowhere.code, 73);
  assert.match(
    nowhere.stderr,
    /^error: cannot write the sites to .*no\/sites\.tsv\n {2}→ .*folder/,
  );
  await mkdir(join(made.folder, 'taken'));
  const taken = await run(made, '--truth truth.vcf --calls calls.vcf --sites taken');
  assert.equal(taken.code, 73);
  assert.deepEqual(
    (await readdir(made.folder)).filter((name) => name.includes('partial')),
    [],
  );
});
