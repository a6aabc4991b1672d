import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import { parseReportModel, type ReportModel, reportId } from './model.ts';
import { crowdedModel, hostileModel, quietModel } from './testing/other-models.ts';
import { sampleModel } from './testing/sample-model.ts';

type Mutable = { [key: string]: unknown };

test('the model accepts what the report can show, and survives JSON', () => {
  for (const model of [sampleModel(), quietModel(), crowdedModel(), hostileModel()]) {
    assert.deepEqual(parseReportModel(JSON.parse(JSON.stringify(model))), model);
  }
});

const MUTATIONS: readonly (readonly [string, (model: ReportModel) => unknown])[] = [
  ['another version', (model) => ({ ...model, formatVersion: 1 })],
  ['an unknown field', (model) => ({ ...model, diagnosis: 'none' })],
  ['a missing field', ({ limitations: _, ...rest }) => rest],
  ['no limitations', (model) => ({ ...model, limitations: [] })],
  ['a date without time', (model) => ({ ...model, reportedAt: '2026-03-14' })],
  ['a local date', (model) => ({ ...model, reportedAt: '2026-03-14T09:26:53+01:00' })],
  ['a short digest', (model) => ({ ...model, provenanceDigest: 'sha256:3fa9' })],
  ['a sample id with a slash', (model) => ({ ...model, sample: { ...model.sample, id: '../x' } })],
  [
    'five stars',
    (model) => change(model, ['findings', 'groups', 0, 'findings', 0, 'clinvar', 'stars'], 5),
  ],
  ['position 0', (model) => change(model, ['findings', 'groups', 0, 'findings', 0, 'pos1'], 0)],
  [
    'a fraction above one',
    (model) => change(model, ['findings', 'groups', 0, 'findings', 0, 'alleleFraction'], 1.2),
  ],
  ['a made-up category', (model) => change(model, ['findings', 'groups', 0, 'category'], 'bad')],
  ['a made-up verdict', (model) => change(model, ['qc', 'verdict'], 'good')],
  ['an empty region', (model) => change(model, ['lowCoverage', 'regions', 0, 'end'], 0)],
];

for (const [what, mutate] of MUTATIONS) {
  test(`the model refuses ${what}`, () => {
    assert.throws(
      () => parseReportModel(mutate(sampleModel())),
      (error) => error instanceof AppError && error.code === 'INPUT_MALFORMED',
    );
  });
}

test('the report id is the start of the provenance digest', () => {
  assert.equal(reportId(sampleModel()), 'HMR-3FA9-1C0B-2D4E');
});

function change(model: ReportModel, path: readonly (string | number)[], value: unknown): unknown {
  const copy: unknown = structuredClone(model);
  let at = copy as Mutable;
  for (const key of path.slice(0, -1)) at = at[key] as Mutable;
  at[String(path.at(-1))] = value;
  return copy;
}
