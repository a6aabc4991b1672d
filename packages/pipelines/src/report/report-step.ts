/** The report as a task: pure data, rendered by the builtin `render-report`. */
import { canonicalJson } from '@helixmesh/protocol';
import { QC_JSON } from '../germline/align-step.ts';
import { FINDINGS_FILE } from '../germline/annotate-step.ts';
import { LOW_COVERAGE_JSON } from '../germline/low-coverage.ts';
import { VARIANTS_JSON } from '../germline/merge-step.ts';
import { outputInput, result } from '../germline/task-parts.ts';
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { BUILTIN_VERSION } from '../tools/catalogue.ts';
import { parseReportContext, type ReportContext } from './report-context.ts';

export const REPORT_JSON = 'report.json';
export const REPORT_PDF = 'report.pdf';
export const REPORT_HTML = 'report.html';
export const CONTEXT_JSON = 'context.json';

export interface ReportOptions {
  /** Has `qc.json`. */
  readonly aligned: TaskResult;
  /** Has `low-coverage.json`. */
  readonly lowCoverage: TaskResult;
  /** Has `variants.json`. */
  readonly filtered: TaskResult;
  /** Has `findings.json`. */
  readonly annotated: TaskResult;
  readonly context: ReportContext;
}

export function reportStep(options: ReportOptions): TaskSpec {
  const context = parseReportContext(options.context);
  return {
    name: 'report',
    pool: 'report',
    inputs: [
      outputInput(options.aligned, QC_JSON),
      outputInput(options.lowCoverage, LOW_COVERAGE_JSON),
      outputInput(options.filtered, VARIANTS_JSON),
      outputInput(options.annotated, FINDINGS_FILE),
      { kind: 'text', name: CONTEXT_JSON, text: canonicalJson(context) },
    ],
    commands: [{ kind: 'builtin', name: 'render-report', args: {} }],
    outputs: [
      result(REPORT_JSON, 'json'),
      result(REPORT_PDF, 'opaque'),
      result(REPORT_HTML, 'opaque'),
    ],
    toolVersions: { helixmesh: BUILTIN_VERSION },
    resources: { cores: 1, memoryMib: 512 },
  };
}
