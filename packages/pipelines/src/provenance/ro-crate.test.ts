import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '@helixmesh/protocol';
import { taskKey } from '../task/key.ts';
import type { TaskSpec } from '../task/spec.ts';
import { buildCrate, type CrateInput } from './ro-crate.ts';

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

const ALIGN: TaskSpec = {
  name: 'align',
  pool: 'align',
  inputs: [
    { kind: 'file', name: 'r1.fastq.gz', digest: digest('1'), location: '/reads/r1.fastq.gz' },
    { kind: 'file', name: 'ref.fa', digest: digest('2'), location: '/ref/ref.fa' },
  ],
  commands: [
    {
      kind: 'tools',
      stages: [
        { tool: 'bwa', args: ['mem', '-R', '@RG\\tID:S 1', 'ref.fa', 'r1.fastq.gz'] },
        { tool: 'samtools', args: ['sort', '-'] },
      ],
      stdout: 'aligned.bam',
    },
  ],
  outputs: [{ name: 'aligned.bam', format: 'bam', retention: 'result' }],
  toolVersions: { bwa: '0.7.17', samtools: '1.16' },
  resources: { cores: 2, memoryMib: 100 },
};
const KEY = taskKey(ALIGN);

const INPUT: CrateInput = {
  jobId: 'job_0123456789abcdef',
  jobHash: digest('9'),
  sampleId: 'S1',
  workflow: 'germline.v1',
  helixmeshVersion: '0.1.0',
  startedAtMs: 0,
  endedAtMs: 1_000,
  tasks: [
    {
      name: 'align',
      key: KEY,
      spec: ALIGN,
      outputs: { 'aligned.bam': { digest: digest('3'), sizeBytes: 7 } },
      reused: false,
      startedAtMs: 10,
      endedAtMs: 900,
    },
  ],
  readsSha256: { '/reads/r1.fastq.gz': 'f'.repeat(64) },
  deliverables: [
    {
      path: 'S1.bam',
      description: 'alignments',
      sizeBytes: 7,
      sha256: 'e'.repeat(64),
      source: { task: KEY, output: 'aligned.bam' },
    },
  ],
};

type Entity = { readonly '@id': string; readonly [key: string]: unknown };

function graph(): Entity[] {
  return (buildCrate(INPUT) as unknown as { '@graph': Entity[] })['@graph'];
}

function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  const { '@id': id, ...rest } = value as Entity;
  const nested = Object.values(rest).flatMap(references);
  return Object.keys(rest).length === 0 ? [id] : nested;
}

test('every reference of the crate leads to an entity of it or to the web', () => {
  const entities = graph();
  const known = new Set(entities.map((entity) => entity['@id']));
  assert.equal(known.size, entities.length, 'no id stands twice');
  const used = entities.flatMap(({ '@id': _id, ...rest }) => references(rest));
  assert.ok(used.length > 10);
  assert.deepEqual(
    used.filter((id) => !known.has(id) && !id.startsWith('https://')),
    [],
  );
});

test('inputs and results carry the sha256 of their bytes, steps their command and versions', () => {
  const byId = new Map(graph().map((entity) => [entity['@id'], entity]));
  assert.equal(byId.get(`#input/r1.fastq.gz/${'f'.repeat(64)}`)?.['sha256'], 'f'.repeat(64));
  assert.equal(byId.get(`#input/ref.fa/${'2'.repeat(64)}`)?.['sha256'], '2'.repeat(64));
  assert.equal(byId.get('S1.bam')?.['sha256'], 'e'.repeat(64));
  const action = byId.get('#task/align');
  assert.equal(
    action?.['description'],
    "bwa mem -R '@RG\\tID:S 1' ref.fa r1.fastq.gz | samtools sort - > aligned.bam",
  );
  assert.deepEqual(action?.['instrument'], [
    { '@id': '#tool/bwa@0.7.17' },
    { '@id': '#tool/samtools@1.16' },
  ]);
});

test('places on this machine do not enter the crate', () => {
  assert.doesNotMatch(JSON.stringify(graph()), /\/reads\/|\/ref\//);
});
