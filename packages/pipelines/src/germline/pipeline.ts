/**
 * The germline pipeline: FASTQ of one sample to annotated variants and a report.
 *
 *   intake → align → (decide: sex, caller) → call × shards → join → merge → filter
 *          → annotate → report
 *   regions of low coverage are looked for beside the calls; the report alone waits for them
 *
 * Version 1. A change in the order of port calls needs a new version.
 */
import type { Digest, Json } from '@helixmesh/protocol';
import { reportTask } from '../report/report-task.ts';
import { jobHash } from '../task/key.ts';
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { BUILTIN_VERSION } from '../tools/catalogue.ts';
import type { Deliverable, Pipeline, PipelineResult, Workflow } from '../workflow/port.ts';
import {
  ALIGNED_BAI,
  ALIGNED_BAM,
  alignStep,
  DECISION_JSON,
  FASTP_JSON,
  QC_JSON,
} from './align-step.ts';
import { ANNOTATED_INDEX, ANNOTATED_VCF, annotateStep, FINDINGS_FILE } from './annotate-step.ts';
import { callStep } from './call-step.ts';
import { type CallerChoice, chooseCaller, type Decision, parseDecision } from './decision.ts';
import type { GermlineInput } from './input.ts';
import { INTAKE_JSON, type Intake, intakeStep, parseIntake } from './intake-step.ts';
import { MAX_CONCAT_INPUTS } from './limits.ts';
import { LOW_COVERAGE_BED } from './low-coverage.ts';
import { lowCoverageStep } from './low-coverage-step.ts';
import {
  FILTERED_VCF,
  filterStep,
  joinStep,
  mergeStep,
  UNFILTERED_TBI,
  UNFILTERED_VCF,
} from './merge-step.ts';
import { isCalled } from './ploidy.ts';
import { planShards, type Shard } from './shard-plan.ts';
import { outputInput } from './task-parts.ts';

/** All that is known when the report is made. */
export interface ReportInputs {
  readonly input: GermlineInput;
  readonly intake: Intake;
  readonly decision: Decision;
  readonly choice: CallerChoice;
  readonly aligned: TaskResult;
  readonly lowCoverage: TaskResult;
  readonly filtered: TaskResult;
  readonly annotated: TaskResult;
  /** Unix time in milliseconds of the UTC day on which the job reached its report. */
  readonly nowMs: number;
}

/** A report as a task: its specification and the files of it that the user gets. */
export interface ReportTask {
  readonly spec: TaskSpec;
  readonly deliverables: readonly {
    readonly output: string;
    /** What stands after the sample's name, e.g. `.report.pdf`. */
    readonly suffix: string;
    readonly description: string;
  }[];
}

export interface GermlineOptions {
  /** Null: no report is made. */
  readonly report: ((inputs: ReportInputs) => ReportTask) | null;
}

/** The pipeline with its report given from outside. */
export function createGermline({ report }: GermlineOptions): Pipeline<GermlineInput> {
  return {
    name: 'germline',
    version: 1,
    run: async (workflow, input) => {
      const intake = await takeIn(workflow, input);
      const aligned = await workflow.task(alignStep({ input, intake }));
      const decision = parseDecision(
        await workflow.readJson({ task: aligned.key, output: DECISION_JSON }),
      );
      const choice = chooseCaller(input.parameters.caller, decision);
      const shards = calledShards(input, decision);
      await workflow.emit('plan', { shards: shards.length, caller: choice.caller });
      const { karyotype } = decision.sex;
      const coverage = workflow.task(lowCoverageStep({ input, aligned, karyotype }));
      const parts = await workflow.all(
        shards.map((shard) =>
          workflow.task(callStep({ input, aligned, shard, caller: choice.caller, karyotype })),
        ),
      );
      const joined = await join(workflow, input, parts);
      const merged = await workflow.task(mergeStep({ input, parts: joined }));
      const filtered = await workflow.task(filterStep({ input, merged, caller: choice.caller }));
      const annotated = await workflow.task(annotation(input, filtered));
      const lowCoverage = await coverage;
      const made = { aligned, lowCoverage, filtered, annotated };
      const known = { input, intake, decision, choice, ...made };
      const reported = report === null ? [] : await makeReport(workflow, report, known);
      return {
        jobHash: hashOf(input, intake),
        deliverables: [...reported, ...files(input.sampleId, { ...made, merged })],
        summary: summaryOf(known, shards.length),
      } satisfies PipelineResult;
    },
  };
}

async function takeIn(workflow: Workflow, input: GermlineInput): Promise<Intake> {
  const taken = await workflow.task(intakeStep(input));
  return parseIntake(await workflow.readJson({ task: taken.key, output: INTAKE_JSON }));
}

/** Without Y in XX; a reference of Y alone is called nevertheless. */
function calledShards(input: GermlineInput, { sex }: Decision): readonly Shard[] {
  const shards = planShards(input.reference.contigs, input.parameters.shardTargetBases);
  const called = shards.filter((shard) => isCalled(shard, sex.karyotype));
  return called.length === 0 ? shards : called;
}

async function join(
  workflow: Workflow,
  input: GermlineInput,
  parts: readonly TaskResult[],
): Promise<readonly TaskResult[]> {
  if (parts.length <= MAX_CONCAT_INPUTS) return parts;
  const groups = Array.from({ length: Math.ceil(parts.length / MAX_CONCAT_INPUTS) }, (_, i) =>
    parts.slice(i * MAX_CONCAT_INPUTS, (i + 1) * MAX_CONCAT_INPUTS),
  );
  const joined = await workflow.all(
    groups.map((group, i) => workflow.task(joinStep({ input, parts: group }, i + 1))),
  );
  return join(workflow, input, joined);
}

function annotation(input: GermlineInput, filtered: TaskResult): TaskSpec {
  const { digest } = outputInput(filtered, FILTERED_VCF);
  return annotateStep({
    calls: { task: filtered.key, output: FILTERED_VCF, digest },
    reference: input.reference,
    toolVersions: { ...input.toolVersions, helixmesh: BUILTIN_VERSION },
  });
}

const DAY_MS = 86_400_000;

async function makeReport(
  workflow: Workflow,
  report: NonNullable<GermlineOptions['report']>,
  known: Omit<ReportInputs, 'nowMs'>,
): Promise<readonly Deliverable[]> {
  // To the day, so that a second run on the same day finds the report that it has made.
  const nowMs = Math.floor((await workflow.now()) / DAY_MS) * DAY_MS;
  const { spec, deliverables } = report({ ...known, nowMs });
  const { key } = await workflow.task(spec);
  return deliverables.map(({ output, suffix, description }) => ({
    path: `${known.input.sampleId}${suffix}`,
    source: { task: key, output },
    description,
  }));
}

function hashOf(input: GermlineInput, { r1, r2 }: Intake): Digest {
  const { reference, parameters, sampleId, toolVersions } = input;
  return jobHash({
    pipeline: 'germline',
    version: 1,
    sampleId,
    reads: r2 === null ? [r1.digest] : [r1.digest, r2.digest],
    reference: reference.digest,
    parameters: { ...parameters },
    shardPlan: planShards(reference.contigs, parameters.shardTargetBases),
    toolVersions: { ...toolVersions, helixmesh: BUILTIN_VERSION },
  });
}

interface Results {
  readonly aligned: TaskResult;
  readonly lowCoverage: TaskResult;
  readonly merged: TaskResult;
  readonly annotated: TaskResult;
}

function files(sampleId: string, results: Results): readonly Deliverable[] {
  const { aligned, lowCoverage, merged, annotated } = results;
  const file = (from: TaskResult, output: string, suffix: string, description: string) => ({
    path: `${sampleId}${suffix}`,
    source: { task: from.key, output },
    description,
  });
  return [
    file(annotated, ANNOTATED_VCF, '.vcf.gz', 'filtered and annotated variants'),
    file(annotated, ANNOTATED_INDEX, '.vcf.gz.tbi', 'index of the variants'),
    file(annotated, FINDINGS_FILE, '.findings.json', 'variants of interest'),
    file(merged, UNFILTERED_VCF, '.unfiltered.vcf.gz', 'all calls before the filters'),
    file(merged, UNFILTERED_TBI, '.unfiltered.vcf.gz.tbi', 'index of the unfiltered calls'),
    file(aligned, ALIGNED_BAM, '.bam', 'alignments, duplicates marked'),
    file(aligned, ALIGNED_BAI, '.bam.bai', 'index of the alignments'),
    file(lowCoverage, LOW_COVERAGE_BED, '.low-coverage.bed', 'regions of low coverage'),
    file(aligned, QC_JSON, '.qc.json', 'quality figures with verdicts'),
    file(aligned, FASTP_JSON, '.fastp.json', 'the report of fastp'),
  ];
}

function summaryOf(
  { decision, choice, intake }: Omit<ReportInputs, 'nowMs'>,
  shards: number,
): { readonly [key: string]: Json } {
  return {
    reads: intake.r1.reads + (intake.r2?.reads ?? 0),
    meanDepth: decision.meanDepth,
    callableDepth: decision.callableDepth,
    sex: decision.sex.karyotype,
    sexBasis: decision.sex.basis,
    caller: choice.caller,
    callerReason: choice.reason,
    shards,
  };
}

export const germline: Pipeline<GermlineInput> = createGermline({ report: reportTask });
