import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@helixmesh/protocol';
import type { ReportInputs } from '../germline/analysis-parts.ts';
import { taskKey } from '../task/key.ts';
import { parseReportModel, type ReportModel } from './model.ts';
import { renderReport } from './render-report.ts';
import { contextOf, reportTask } from './report-task.ts';
import { sampleModel } from './testing/sample-model.ts';
import { sampleQcFile, sampleReportInputs, sampleVariantsFile } from './testing/sample-parts.ts';
import { toReportModel } from './to-report-model.ts';

test('the task is pure data: the same inputs give the same key, another date another key', () => {
  const key = (inputs: ReportInputs) => taskKey(reportTask(inputs).spec);
  assert.equal(key(sampleReportInputs()), key(sampleReportInputs()));
  assert.notEqual(key({ ...sampleReportInputs(), nowMs: 0 }), key(sampleReportInputs()));
});

test('the provenance digest follows what went in, and neither date nor machine', () => {
  const inputs = sampleReportInputs();
  const { provenanceDigest } = contextOf(inputs);
  assert.equal(contextOf({ ...inputs, nowMs: 1 }).provenanceDigest, provenanceDigest);
  const parameters = { ...inputs.input.parameters, sex: 'XY' } as const;
  const other = contextOf({ ...inputs, input: { ...inputs.input, parameters } });
  assert.notEqual(other.provenanceDigest, provenanceDigest);
});

test('the methods tell the commands that ran, and only the sources that were given', () => {
  const { methods, reportedAt } = contextOf(sampleReportInputs());
  assert.equal(reportedAt, '2026-03-14T09:26:53Z');
  const commands = methods.steps.map((step) => step.command ?? '').join('\n');
  assert.match(commands, /bwa mem -K 100000000/);
  assert.match(commands, /freebayes -f ref\.fa/);
  assert.deepEqual(
    methods.sources.map((source) => source.name),
    ['ClinVar'],
  );
});

test('the builtin writes a checked model, a PDF and a page, the same on each run', async () => {
  const first = await render(await partsOf());
  const second = await render(await partsOf());
  assert.deepEqual(first, second);
  const model = parseReportModel(JSON.parse(first.json.toString()));
  assert.equal(model.sample.id, 'S1');
  assert.equal(model.sample.coveredFraction, 0.99);
  assert.equal(model.qc.plots.tiTv?.ratio, 2.06);
  assert.deepEqual(model.lowCoverage, sampleModel().lowCoverage);
  assert.match(first.html.toString(), /1,294 \(0\.004 %\) in 3 regions/);
  assert.equal(first.pdf.subarray(0, 5).toString(), '%PDF-');
  assert.match(first.html.toString(), /c\.5266dupC/);
});

test('a broken input is named and leaves no report', async () => {
  const parts = { ...(await partsOf()), 'findings.json': '{"version":2}' };
  await assert.rejects(render(parts), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'INPUT_MALFORMED');
    assert.match(error.message, /^findings\.json: version/);
    return true;
  });
});

test('where nothing was known to examine, the report says that gaps were not looked for', async () => {
  const { json, html } = await render({ ...(await partsOf()), 'low-coverage.json': 'null' });
  assert.equal(parseReportModel(JSON.parse(json.toString())).lowCoverage, null);
  assert.match(html.toString(), /low coverage were not computed/);
});

test('breadth falls with depth, from all bases on', () => {
  const curve = modelOfParts().qc.plots.breadth ?? [];
  assert.deepEqual(curve, [
    { depth: 0, fraction: 1 },
    { depth: 1, fraction: 0.9 },
    { depth: 2, fraction: 0.9 },
    { depth: 3, fraction: 0.6 },
  ]);
});

test('limitations say what was not given', () => {
  const { limitations } = modelOfParts({ clinvar: false, gnomad: false, hgvs: false });
  const text = limitations.join('\n');
  assert.match(text, /No ClinVar file was given/);
  assert.match(text, /No gnomAD file was given/);
  assert.match(text, /named by position only/);
});

function modelOfParts(sources: Partial<ReportModel['findings']['sources']> = {}): ReportModel {
  const { findings } = sampleModel();
  return toReportModel({
    context: contextOf(sampleReportInputs()),
    qc: sampleQcFile(),
    variants: sampleVariantsFile(),
    findings: { ...findings, sources: { ...findings.sources, ...sources } },
    lowCoverage: null,
  });
}

type Parts = Readonly<Record<string, string>>;

async function partsOf(): Promise<Parts> {
  const { spec } = reportTask(sampleReportInputs());
  const texts = spec.inputs.flatMap((input) =>
    input.kind === 'text' ? [[input.name, input.text] as const] : [],
  );
  return {
    ...Object.fromEntries(texts),
    'qc.json': JSON.stringify(sampleQcFile()),
    'low-coverage.json': JSON.stringify(sampleModel().lowCoverage),
    'variants.json': JSON.stringify(sampleVariantsFile()),
    'findings.json': JSON.stringify(sampleModel().findings),
  };
}

async function render(parts: Parts): Promise<Record<'json' | 'pdf' | 'html', Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'helixmesh-report-'));
  try {
    for (const [name, text] of Object.entries(parts)) await writeFile(join(folder, name), text);
    await renderReport({ folder, args: {}, threads: 1, progress: () => {} });
    const read = (end: string) => readFile(join(folder, `report.${end}`));
    return { json: await read('json'), pdf: await read('pdf'), html: await read('html') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
