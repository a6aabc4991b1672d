/** What the germline pipeline and its stages are composed of. */
import type { Digest, Json } from '@helixmesh/protocol';
import { jobHash } from '../task/key.ts';
import type { TaskResult, TaskSpec } from '../task/spec.ts';
import { BUILTIN_VERSION } from '../tools/catalogue.ts';
import type { Deliverable, PipelineResult, Workflow } from '../workflow/port.ts';
import { ALIGNED_BAI, ALIGNED_BAM, DECISION_JSON, FASTP_JSON, QC_JSON } from './align-step.ts';
import { ANNOTATED_INDEX, ANNOTATED_VCF, annotateStep, FINDINGS_FILE } from './annotate-step.ts';
import { type CallerChoice, chooseCaller, type Decision, parseDecision } from './decision.ts';
import type { AnalysisInput, GermlineInput } from './input.ts';
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
import { type NumberedShard, planShards, type Shard } from './shard-plan.ts';
import { outputInput } from './task-parts.ts';

/** What is known once the reads are aligned. */
export interface Aligned {
  readonly intake: Intake;
  readonly decision: Decision;
  readonly choice: CallerChoice;
  readonly aligned: TaskResult;
}

/** All that is known when the report is made. */
export interface ReportInputs extends Aligned {
  readonly input: GermlineInput;
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

export type MakeReport = (inputs: ReportInputs) => ReportTask;

/** Reads the FASTQ files to their ends. */
export async function takeIn(
  workflow: Workflow,
  input: GermlineInput,
): Promise<{ readonly taken: TaskResult; readonly intake: Intake }> {
  const taken = await workflow.task(intakeStep(input));
  return { taken, intake: await readIntake(workflow, taken) };
}

export async function readIntake(workflow: Workflow, taken: TaskResult): Promise<Intake> {
  return parseIntake(await workflow.readJson({ task: taken.key, output: INTAKE_JSON }));
}

/** Sex and caller, from what the alignment has told. */
export async function decide(
  workflow: Workflow,
  { parameters }: AnalysisInput,
  aligned: TaskResult,
): Promise<Omit<Aligned, 'intake'>> {
  const decision = parseDecision(
    await workflow.readJson({ task: aligned.key, output: DECISION_JSON }),
  );
  return { aligned, decision, choice: chooseCaller(parameters.caller, decision) };
}

export interface Completion {
  /** The step that brings the calls of a shard. */
  readonly callOf: (shard: NumberedShard) => TaskSpec;
  readonly report: MakeReport | null;
}

/** From the alignment to the deliverables. */
export async function completeAnalysis(
  workflow: Workflow,
  known: Aligned & Pick<ReportInputs, 'input'>,
  { callOf, report }: Completion,
): Promise<PipelineResult> {
  const { input, intake, aligned, decision, choice } = known;
  const shards = calledShards(input, decision);
  await workflow.emit('plan', { shards: shards.length, caller: choice.caller });
  const { karyotype } = decision.sex;
  const coverage = workflow.task(lowCoverageStep({ input, aligned, karyotype }));
  const parts = await workflow.all(shards.map((shard) => workflow.task(callOf(shard))));
  const joined = await join(workflow, input, parts);
  const merged = await workflow.task(mergeStep({ input, parts: joined }));
  const filtered = await workflow.task(filterStep({ input, merged, caller: choice.caller }));
  const annotated = await workflow.task(annotation(input, filtered));
  const lowCoverage = await coverage;
  const made = { aligned, lowCoverage, filtered, annotated };
  const reported = report === null ? [] : await makeReport(workflow, report, { ...known, ...made });
  const shardPlan = planShards(input.reference.contigs, input.parameters.shardTargetBases);
  return {
    jobHash: hashOf(input, intake, { pipeline: 'germline', shardPlan }),
    deliverables: [...reported, ...files(input.sampleId, { ...made, merged })],
    summary: summaryOf(known, shards.length),
  };
}

/** Without Y in XX; a reference of Y alone is called nevertheless. */
export function calledShards(
  { reference, parameters }: AnalysisInput,
  { sex }: Decision,
): readonly NumberedShard[] {
  const plan = planShards(reference.contigs, parameters.shardTargetBases);
  const shards = plan.map((shard, i) => ({ ...shard, number: i + 1 }));
  const called = shards.filter((shard) => isCalled(shard, sex.karyotype));
  return called.length === 0 ? shards : called;
}

async function join(
  workflow: Workflow,
  input: AnalysisInput,
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

function annotation(input: AnalysisInput, filtered: TaskResult): TaskSpec {
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
  report: MakeReport,
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

/** The hash of a job over these reads; `shardPlan` is what of the plan decides its result. */
export function hashOf(
  { reference, parameters, sampleId, toolVersions }: AnalysisInput,
  { r1, r2 }: Intake,
  { pipeline, shardPlan }: { readonly pipeline: string; readonly shardPlan: readonly Shard[] },
): Digest {
  return jobHash({
    pipeline,
    version: 1,
    sampleId,
    reads: r2 === null ? [r1.digest] : [r1.digest, r2.digest],
    reference: reference.digest,
    parameters: { ...parameters },
    shardPlan,
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

/** `shards`: how many are called. */
export function summaryOf(
  { decision, choice, intake }: Aligned,
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
