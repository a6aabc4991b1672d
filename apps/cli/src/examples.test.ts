import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXAMPLES, type Example } from './examples.ts';
import { type Bench, makeBench, runCli, startDaemon } from './testing/cli.ts';

/**
 * The full-size demo is `make demo`, and the small one runs in test/pack, from the tarball. A devnet
 * stays in the foreground: devnet/devnet.test.ts runs it.
 */
const NOT_RUN = ['demo', 'devnet'];
/** These need a coordinator: tests beside the commands run them. */
const OF_NETWORK = /^(node|route|task) /;
/** From here on the examples talk to a daemon. */
const FIRST_WITH_DAEMON = 'up';
/** Refused while a daemon holds the data folder. */
const REFUSED = 'cleanup';

function argsOf({ line }: Example): string[] {
  return line.split(' ').slice(1);
}

/** The files that the examples name, from a simulated sample. */
async function provideFiles(bench: Bench): Promise<void> {
  const made = await runCli(
    bench,
    'simulate --out input --contigs 2 --bases 20000 --coverage 12 --seed 3'.split(' '),
  );
  assert.equal(made.code, 0, made.stderr);
  const links = {
    'S1_R1.fastq.gz': 'reads_R1.fastq.gz',
    'S1_R2.fastq.gz': 'reads_R2.fastq.gz',
    ...Object.fromEntries(
      ['ref.fa', 'ref.fa.fai', 'genes.gff3', 'clinvar.vcf.gz', 'clinvar.vcf.gz.tbi'].map((n) => [
        n,
        n,
      ]),
    ),
    ...Object.fromEntries(['truth.vcf.gz', 'truth.vcf.gz.tbi', 'confident.bed'].map((n) => [n, n])),
  };
  for (const [name, target] of Object.entries(links)) {
    await symlink(join('input', target), join(bench.folder, name));
  }
  await writeFile(
    join(bench.folder, 'samples.csv'),
    'sample,r1,r2,sex\nS1,S1_R1.fastq.gz,S1_R2.fastq.gz,\nS2,S1_R1.fastq.gz,,XX\n',
  );
  await mkdir(join(bench.folder, 'data'), { recursive: true });
}

test('every example of the help does what it says', async (t) => {
  const bench = await makeBench(t);
  await provideFiles(bench);
  const split = EXAMPLES.findIndex(({ command }) => command === FIRST_WITH_DAEMON);
  assert.ok(split > 0);
  let ran = 0;
  for (const example of EXAMPLES.slice(0, split)) {
    if (NOT_RUN.includes(example.command)) continue;
    const { code, stderr } = await runCli(bench, argsOf(example));
    assert.equal(code, 0, `${example.line}\n${stderr}`);
    ran++;
  }
  await startDaemon(t, bench, argsOf(EXAMPLES[split] ?? { command: '', line: '' }));
  for (const example of EXAMPLES.slice(split)) {
    if (example.command === FIRST_WITH_DAEMON) continue;
    if (OF_NETWORK.test(example.command)) continue;
    const { code, stderr, stdout } = await runCli(bench, argsOf(example));
    const expected = example.command === REFUSED ? 75 : 0;
    assert.equal(code, expected, `${example.line}\n${stdout}${stderr}`);
    ran++;
  }
  assert.ok(ran >= 20, `only ${ran} examples ran`);
});
