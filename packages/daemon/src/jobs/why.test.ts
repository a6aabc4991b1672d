import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskSpec } from '@helixmesh/pipelines';
import type { Digest } from '@helixmesh/protocol';
import { explainRun } from './why.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;

const SPEC: TaskSpec = {
  name: 'call.chr1',
  pool: 'call',
  inputs: [{ kind: 'file', name: 'ref.fa', digest: digest('a'), location: '/r/ref.fa' }],
  commands: [{ kind: 'tools', stages: [{ tool: 'freebayes', args: ['-f', 'ref.fa'] }] }],
  outputs: [],
  toolVersions: { freebayes: '1.3.6' },
  resources: { cores: 1, memoryMib: 100 },
};

test('a step without a predecessor says that it is the first', () => {
  assert.equal(explainRun(SPEC, null), 'first run of this step for this sample');
});

test('a changed input is named', () => {
  const earlier: TaskSpec = {
    ...SPEC,
    inputs: [{ kind: 'file', name: 'ref.fa', digest: digest('b'), location: '/r/ref.fa' }],
  };
  assert.equal(explainRun(SPEC, earlier), 'input ref.fa changed');
});

test('a moved file is no change', () => {
  const earlier: TaskSpec = {
    ...SPEC,
    inputs: [{ kind: 'file', name: 'ref.fa', digest: digest('a'), location: '/elsewhere' }],
    toolVersions: { freebayes: '1.3.5' },
  };
  assert.equal(explainRun(SPEC, earlier), 'freebayes 1.3.5 → 1.3.6');
});

test('changed parameters are quoted before and after', () => {
  const earlier: TaskSpec = {
    ...SPEC,
    commands: [
      { kind: 'tools', stages: [{ tool: 'freebayes', args: ['-f', 'ref.fa', '-p', '1'] }] },
    ],
  };
  assert.equal(explainRun(SPEC, earlier), 'parameters changed: -p 1 → (none)');
});
