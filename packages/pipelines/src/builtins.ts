/** The registry of builtins by the name that stands in a command. One line each. */

import { checkMergedCalls } from './germline/check-merged-calls.ts';
import { filterCalls } from './germline/filter-calls.ts';
import { extractFindings } from './germline/findings-extract.ts';
import { summarizeAlignment } from './germline/summarize-alignment.ts';
import { intake } from './intake/intake.ts';
import { renderReport } from './report/render-report.ts';
import type { Builtin } from './task/builtin.ts';

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  'check-merged-calls': checkMergedCalls,
  'filter-calls': filterCalls,
  'summarize-alignment': summarizeAlignment,
  'extract-findings': extractFindings,
  intake,
  'render-report': renderReport,
};
