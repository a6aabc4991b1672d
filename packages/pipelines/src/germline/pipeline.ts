/**
 * The germline pipeline: FASTQ of one sample to annotated variants and a report.
 *
 *   intake → align → (decide: sex, caller) → call × shards → join → merge → filter
 *          → annotate → report
 *   regions of low coverage are looked for beside the calls; the report alone waits for them
 *
 * Version 1. A change in the order of port calls needs a new version.
 */
import { reportTask } from '../report/report-task.ts';
import type { Pipeline } from '../workflow/port.ts';
import { alignStep } from './align-step.ts';
import { completeAnalysis, decide, type MakeReport, takeIn } from './analysis-parts.ts';
import { callStep } from './call-step.ts';
import type { GermlineInput } from './input.ts';

export interface GermlineOptions {
  /** Null: no report is made. */
  readonly report: MakeReport | null;
}

/** The pipeline with its report given from outside. */
export function createGermline({ report }: GermlineOptions): Pipeline<GermlineInput> {
  return {
    name: 'germline',
    version: 1,
    run: async (workflow, input) => {
      const { intake } = await takeIn(workflow, input);
      const aligned = await workflow.task(alignStep({ input, intake }));
      const known = { input, intake, ...(await decide(workflow, input, aligned)) };
      const { caller } = known.choice;
      const { karyotype } = known.decision.sex;
      return completeAnalysis(workflow, known, {
        report,
        callOf: (shard) => callStep({ input, aligned, shard, caller, karyotype }),
      });
    },
  };
}

export const germline: Pipeline<GermlineInput> = createGermline({ report: reportTask });
