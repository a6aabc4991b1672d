/**
 * The registry of builtins by the name that stands in a command. One line each. A builtin's module
 * is loaded when it runs: a worker thread runs one, and the report alone takes longer to load than
 * most others take to run.
 */

import type { Builtin } from './task/builtin.ts';

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  'check-merged-calls': async (context) =>
    (await import('./germline/check-merged-calls.ts')).checkMergedCalls(context),
  'coverage-targets': async (context) =>
    (await import('./germline/coverage-targets.ts')).coverageTargets(context),
  'low-coverage': async (context) =>
    (await import('./germline/low-coverage.ts')).lowCoverage(context),
  'import-files': async (context) => (await import('./task/import-files.ts')).importFiles(context),
  'tell-tiers': async (context) => (await import('./germline/tiers.ts')).tellTiers(context),
  'filter-calls': async (context) =>
    (await import('./germline/filter-calls.ts')).filterCalls(context),
  'summarize-alignment': async (context) =>
    (await import('./germline/summarize-alignment.ts')).summarizeAlignment(context),
  'extract-findings': async (context) =>
    (await import('./germline/findings-extract.ts')).extractFindings(context),
  intake: async (context) => (await import('./intake/intake.ts')).intake(context),
  'render-report': async (context) =>
    (await import('./report/render-report.ts')).renderReport(context),
};
