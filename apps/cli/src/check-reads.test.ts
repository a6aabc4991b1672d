import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeBench, runCli } from './testing/cli.ts';

const BASES = 'ACGTTGCAAGCTAGCATCGATCGGATCTTAGCGGCATTACGATCGATTACGCGATATCG';

test('an alignment of all reads is told from one in which a base was changed', async (t) => {
  const bench = await makeBench(t);
  const quality = 'I'.repeat(BASES.length);
  writeFileSync(join(bench.folder, 'r1.fq'), `@a\n${BASES}\n+\n${quality}\n`);
  const align = (name: string, bases: string) => {
    const record = ['a', 4, '*', 0, 0, '*', '*', 0, 0, bases, quality].join('\t');
    const args = ['view', '-b', '-o', join(bench.folder, name), '-'];
    execFileSync('samtools', args, { input: `@HD\tVN:1.6\n${record}\n` });
  };
  align('whole.bam', BASES);
  align('changed.bam', `C${BASES.slice(1)}`);
  const check = (bam: string) => runCli(bench, ['check-reads', '--r1', 'r1.fq', '--bam', bam]);
  const whole = await check('whole.bam');
  assert.deepEqual([whole.code, whole.stderr], [0, '']);
  assert.match(whole.stdout, /^1 reads after trimming, all of them/);
  const changed = await check('changed.bam');
  assert.equal(changed.code, 70);
  assert.match(changed.stderr, /holds 1 reads, and not all of them are yours/);
});
