import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest, TaskKey } from '@helixmesh/protocol';
import fc from 'fast-check';
import { isSafeRelativeName, type JobDocument, jobHash, taskKey } from './key.ts';
import type { TaskInput, TaskSpec } from './spec.ts';

const digest = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 64, maxLength: 64 })
  .map((digits) => `sha256:${digits.map((d) => d.toString(16)).join('')}` as Digest);
const OTHER = `sha256:${'0'.repeat(64)}` as Digest;
const word = fc.stringMatching(/^[a-z]{1,6}$/);

const input = (name: string): fc.Arbitrary<TaskInput> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('file' as const),
      name: fc.constant(name),
      digest,
      location: fc.string(),
    }),
    fc.record({
      kind: fc.constant('output' as const),
      name: fc.constant(name),
      digest,
      task: digest.map((value) => value as string as TaskKey),
      output: word,
    }),
    fc.record({ kind: fc.constant('text' as const), name: fc.constant(name), text: fc.string() }),
  );

const spec: fc.Arbitrary<TaskSpec> = fc.record({
  name: word,
  pool: fc.constantFrom('qc' as const, 'align' as const),
  inputs: fc.tuple(input('in/a'), input('in/b')),
  commands: fc.array(
    fc.record({
      kind: fc.constant('tools' as const),
      stages: fc.array(
        fc.record({ tool: fc.constant('samtools' as const), args: fc.array(fc.string()) }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
  outputs: fc.tuple(
    fc.record({
      name: fc.constant('out.a'),
      format: fc.constantFrom('bam' as const, 'vcf' as const),
      retention: fc.constant('result' as const),
    }),
  ),
  toolVersions: fc.record({ samtools: word }),
  resources: fc.record({ cores: fc.nat(), memoryMib: fc.nat() }),
});

test('name, pool, place, resources, retention and producing task do not change a task key', () => {
  fc.assert(
    fc.property(spec, digest, word, (given, other, text) => {
      const moved: TaskSpec = {
        ...given,
        name: `${given.name}x`,
        pool: given.pool === 'qc' ? 'align' : 'qc',
        resources: { cores: given.resources.cores + 1, memoryMib: 1 },
        outputs: given.outputs.map((output) => ({ ...output, retention: 'intermediate' })),
        inputs: given.inputs.toReversed().map((each) => {
          if (each.kind === 'file') return { ...each, location: `${each.location}x` };
          if (each.kind === 'text') return each;
          return { ...each, task: other as string as TaskKey, output: text };
        }),
      };
      assert.equal(taskKey(moved), taskKey(given));
    }),
  );
});

test('inputs, arguments, output names, formats and versions change a task key', () => {
  fc.assert(
    fc.property(spec, (given) => {
      const [output] = given.outputs;
      const [first, ...others] = given.inputs;
      assert.ok(output !== undefined && first !== undefined);
      const changed: readonly TaskSpec[] = [
        { ...given, inputs: others },
        { ...given, inputs: [{ ...first, name: 'in/c' }, ...others] },
        { ...given, inputs: [{ kind: 'text', name: first.name, text: 'other text' }, ...others] },
        { ...given, outputs: [{ ...output, name: 'out.b' }] },
        { ...given, outputs: [{ ...output, format: 'json' }] },
        { ...given, outputs: [{ ...output, expected: OTHER }] },
        { ...given, toolVersions: { samtools: `${given.toolVersions.samtools}1` } },
        { ...given, toolVersions: { ...given.toolVersions, bcftools: '1' } },
        {
          ...given,
          commands: [...given.commands, { kind: 'builtin', name: 'extra', args: { n: 1 } }],
        },
        {
          ...given,
          commands: given.commands.concat({
            kind: 'tools',
            stages: [{ tool: 'samtools', args: [] }],
            stdout: 'x',
          }),
        },
      ];
      const keys = new Set([given, ...changed].map(taskKey));
      assert.equal(keys.size, changed.length + 1);
    }),
  );
});

test('the key is a fixed vector, so that stores outlive releases', () => {
  const key = taskKey({
    name: 'x',
    pool: 'qc',
    inputs: [{ kind: 'text', name: 'a.txt', text: 'hello' }],
    commands: [{ kind: 'builtin', name: 'intake', args: { n: 1 } }],
    outputs: [{ name: 'b.json', format: 'json', retention: 'result' }],
    toolVersions: { helixmesh: '1' },
    resources: { cores: 1, memoryMib: 1 },
  });
  assert.equal(key, 'sha256:9045cb6669d71405d420894fc07dbcb0e515935cb6ac7684857906dbb5cb1b5f');
});

test('names that could leave the folder or pass for an option are refused', () => {
  for (const bad of ['', '/a', '../a', 'a/../b', 'a//b', 'a/', '-a', 'a/-b', '.a', 'a b', 'a\n']) {
    assert.equal(isSafeRelativeName(bad), false, JSON.stringify(bad));
  }
  for (const good of ['ref.fa', 'ref.fa.bwt', 'in/a-1.bam', 'S_1.vcf.gz']) {
    assert.equal(isSafeRelativeName(good), true, good);
  }
  fc.assert(
    fc.property(fc.string(), (name) => {
      if (!isSafeRelativeName(name)) return;
      assert.ok(!name.split('/').includes('..') && !/^[-/.]/.test(name));
    }),
  );
});

test('every member of a job document changes its hash', () => {
  const d = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
  const base: JobDocument = {
    pipeline: 'germline',
    version: 1,
    sampleId: 'S1',
    reads: [d('1'), d('2')],
    reference: d('3'),
    parameters: { caller: 'auto' },
    shardPlan: [['chr1', 0, 100]],
    toolVersions: { bwa: '0.7.17' },
  };
  const changed: readonly JobDocument[] = [
    base,
    { ...base, pipeline: 'trio' },
    { ...base, version: 2 },
    { ...base, sampleId: 'S2' },
    { ...base, reads: [d('2'), d('1')] },
    { ...base, reference: d('4') },
    { ...base, parameters: { caller: 'freebayes' } },
    { ...base, shardPlan: [['chr1', 0, 101]] },
    { ...base, toolVersions: { bwa: '0.7.18' } },
  ];
  assert.equal(new Set(changed.map(jobHash)).size, changed.length);
});
