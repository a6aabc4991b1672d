/** From what the germline pipeline knows at its end to the report's task and its files. */
import { createHash } from 'node:crypto';
import { canonicalJson, type Digest } from '@helixmesh/protocol';
import { alignStep } from '../germline/align-step.ts';
import type { ReportInputs, ReportTask } from '../germline/analysis-parts.ts';
import { annotateStep, annotationSources } from '../germline/annotate-step.ts';
import { callStep } from '../germline/call-step.ts';
import { lowCoverageStep } from '../germline/low-coverage-step.ts';
import { filterStep, UNFILTERED_VCF } from '../germline/merge-step.ts';
import { planShards } from '../germline/shard-plan.ts';
import type { TaskResult } from '../task/spec.ts';
import { type MethodSpecs, methodsOf } from './methods-of.ts';
import type { ReportMethods } from './model.ts';
import type { ReportContext } from './report-context.ts';
import { REPORT_HTML, REPORT_JSON, REPORT_PDF, reportStep } from './report-step.ts';

/** What `createGermline({ report })` takes. */
export function reportTask(inputs: ReportInputs): ReportTask {
  const { aligned, lowCoverage, filtered, annotated } = inputs;
  const context = contextOf(inputs);
  return {
    spec: reportStep({ aligned, lowCoverage, filtered, annotated, context }),
    deliverables: [
      { output: REPORT_PDF, suffix: '.report.pdf', description: 'the report for people' },
      { output: REPORT_HTML, suffix: '.report.html', description: 'the report as a web page' },
      { output: REPORT_JSON, suffix: '.report.json', description: 'the report as data' },
    ],
  };
}

export function contextOf(inputs: ReportInputs): ReportContext {
  const { input, intake, decision, choice } = inputs;
  const { reads, reference } = input;
  const files = [
    { name: reads.r1.name, digest: intake.r1.digest },
    ...(reads.r2 === null || intake.r2 === null
      ? []
      : [{ name: reads.r2.name, digest: intake.r2.digest }]),
  ];
  return {
    provenanceDigest: provenanceDigest(inputs),
    reportedAt: new Date(inputs.nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    sample: { id: input.sampleId, sex: decision.sex, inputs: files },
    reference: {
      name: reference.name,
      digest: reference.digest,
      contigs: reference.contigs.length,
      lengthBases: reference.contigs.reduce((sum, contig) => sum + contig.lengthBases, 0),
    },
    caller: {
      name: choice.caller,
      version: input.toolVersions[choice.caller] ?? 'unknown',
      reason: choice.reason,
    },
    methods: methods(inputs),
  };
}

/** Over what went in and what came out of the steps; the date and the machine take no part. */
function provenanceDigest(inputs: ReportInputs): Digest {
  const { input, intake, aligned, lowCoverage, filtered, annotated } = inputs;
  const text = canonicalJson({
    sample: input.sampleId,
    reads: [intake.r1.digest, intake.r2?.digest ?? null],
    reference: input.reference.digest,
    parameters: input.parameters,
    toolVersions: input.toolVersions,
    outputs: [aligned, lowCoverage, filtered, annotated].map(({ outputs }) =>
      Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest])),
    ),
  });
  const hex = createHash('sha256').update('helixmesh/report/v1\n').update(text).digest('hex');
  return `sha256:${hex}` as Digest;
}

function methods({
  input,
  intake,
  choice,
  aligned,
  filtered,
  decision,
}: ReportInputs): ReportMethods {
  const { reference, parameters } = input;
  const [shard] = planShards(reference.contigs, parameters.shardTargetBases);
  const align = alignStep({ input, intake });
  const { caller } = choice;
  const { karyotype } = decision.sex;
  const annotate = annotateStep({
    calls: { task: filtered.key, output: UNFILTERED_VCF, digest: reference.digest },
    reference,
    toolVersions: input.toolVersions,
  });
  const merged: TaskResult = { key: filtered.key, outputs: { [UNFILTERED_VCF]: NO_FILE } };
  const specs: MethodSpecs = {
    align,
    call: shard === undefined ? align : callStep({ input, aligned, shard, caller, karyotype }),
    lowCoverage: lowCoverageStep({ input, aligned, karyotype }),
    filter: filterStep({ input, merged, caller }),
    annotate,
  };
  return methodsOf(specs, reference, annotationSources(reference));
}

/** Stands for files of which only the command that reads them is told. */
const NO_FILE = { digest: `sha256:${'0'.repeat(64)}` as Digest, sizeBytes: 0 };
