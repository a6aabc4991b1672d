import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stage, TaskSpec } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { streamedFiles } from './streamed-files.ts';
import { scriptTask } from './testing/bench.ts';

function streamed(files: readonly string[], args: readonly string[], later: Stage[] = []) {
  const command = { kind: 'tools', stages: [{ tool: 'samtools', args }, ...later] } as const;
  const spec: TaskSpec = {
    ...scriptTask([]),
    inputs: [
      ...files.map((name) => {
        return { kind: 'file', name, digest: 'sha256:0' as Digest, location: '/x' } as const;
      }),
      { kind: 'text', name: 'regions.bed', text: 'chr1\t0\t9\n' },
    ],
    commands: [command],
    outputs: [{ name: 'made.bam', format: 'bam', retention: 'result' }],
  };
  return streamedFiles(spec, command);
}

test('the inputs that the first stage names count, each once', () => {
  const args = ['-i', 'r1.fq', '-I', 'r2.fq', '--again', 'r1.fq'];
  assert.deepEqual(streamed(['r1.fq', 'r2.fq', 'other.fq'], args), ['r1.fq', 'r2.fq']);
});

test('what an earlier command has made counts', () => {
  assert.deepEqual(streamed([], ['stats', 'made.bam']), ['made.bam']);
});

test('an input that comes with its index does not, nor do texts and later stages', () => {
  const files = ['a.bam', 'a.bam.bai', 'ref.fa', 'ref.fa.fai', 'db.vcf.gz', 'db.vcf.gz.tbi'];
  const args = ['-f', 'ref.fa', '-a', 'db.vcf.gz', '-R', 'regions.bed', 'a.bam'];
  assert.deepEqual(streamed(files, args), []);
  assert.deepEqual(streamed(['x.fa'], ['-'], [{ tool: 'bwa', args: ['mem', 'x.fa', '-'] }]), []);
});
