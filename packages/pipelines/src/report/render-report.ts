/**
 * The builtin `render-report`: `qc.json`, `low-coverage.json`, `variants.json`, `findings.json` and
 * `context.json` to `report.json`, `report.pdf` and `report.html`. Takes no arguments.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, canonicalJson } from '@helixmesh/protocol';
import type { z } from 'zod';
import { findingsSchema } from '../germline/findings.ts';
import { LOW_COVERAGE_JSON } from '../germline/low-coverage.ts';
import { qcModelSchema } from '../germline/qc-model.ts';
import { variantsModelSchema } from '../germline/variants-model.ts';
import type { BuiltinContext } from '../task/builtin.ts';
import { renderHtml } from './html/render-html.ts';
import { lowCoverageSchema } from './model-low-coverage.ts';
import { renderPdf } from './pdf/render-pdf.ts';
import { reportContextSchema } from './report-context.ts';
import { toReportModel } from './to-report-model.ts';

export async function renderReport(context: BuiltinContext): Promise<void> {
  const { folder } = context;
  const model = toReportModel({
    context: await readChecked(folder, 'context.json', reportContextSchema),
    qc: await readChecked(folder, 'qc.json', qcModelSchema),
    variants: await readChecked(folder, 'variants.json', variantsModelSchema),
    findings: await readChecked(folder, 'findings.json', findingsSchema),
    lowCoverage: await readChecked(folder, LOW_COVERAGE_JSON, lowCoverageSchema.nullable()),
  });
  await writeFile(join(folder, 'report.json'), `${canonicalJson(model)}\n`);
  await writeFile(join(folder, 'report.html'), renderHtml(model));
  context.progress(0.3);
  await writeFile(join(folder, 'report.pdf'), await renderPdf(model));
  context.progress(1);
}

async function readChecked<Schema extends z.ZodType>(
  folder: string,
  name: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await readFile(join(folder, name), 'utf8');
  const parsed = schema.safeParse(parseJson(text, name));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(`${name}: ${issue?.path.join('.')}: ${issue?.message}`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(`${name} is not JSON`, cause);
  }
}

function malformed(message: string, cause?: unknown): AppError {
  return new AppError('INPUT_MALFORMED', message, {
    hint: 'Run the steps before the report again with this release.',
    cause,
  });
}
