/**
 * The germline pipeline in stages, each on a machine of its own:
 *
 *   germline-align   intake, align
 *   germline-call    the shards of one part, on the alignment of germline-align
 *   germline-finish  all else, on the alignment and the calls of all parts
 *
 * The last delivers what `germline` delivers on one machine, under the hash of that job.
 */
import { type AnalysisStage, AppError, taskOfStage } from '@helixmesh/protocol';
import { reportTask } from '../report/report-task.ts';
import type { TaskResult } from '../task/spec.ts';
import type { Deliverable, Pipeline, Workflow } from '../workflow/port.ts';
import { ALIGN_OUTPUTS, alignStep, DECISION_JSON } from './align-step.ts';
import {
  type Aligned,
  calledShards,
  completeAnalysis,
  decide,
  hashOf,
  readIntake,
  summaryOf,
  takeIn,
} from './analysis-parts.ts';
import {
  CALL_OUTPUTS,
  callForOthersStep,
  importAlignmentStep,
  importCallsStep,
  importIntakeStep,
  shardPath,
} from './import-step.ts';
import type {
  CallInput,
  FileRef,
  FinishInput,
  GermlineInput,
  StagedFile,
  StagedInput,
} from './input.ts';
import { INTAKE_JSON, type Intake, readsName } from './intake-step.ts';
import { germline } from './pipeline.ts';

export const germlineAlign: Pipeline<GermlineInput> = {
  name: 'germline-align',
  version: 1,
  run: async (workflow, input) => {
    const { taken, intake } = await takeIn(workflow, input);
    const aligned = await workflow.task(alignStep({ input, intake }));
    const known = { intake, ...(await decide(workflow, input, aligned)) };
    return {
      jobHash: hashOf(input, intake, { pipeline: germlineAlign.name, shardPlan: [] }),
      deliverables: [
        fileOf(taken, INTAKE_JSON, 'what the reads are'),
        ...ALIGN_OUTPUTS.filter(({ format }) => format !== 'index').map(({ name }) =>
          fileOf(aligned, name, 'the alignment and what it tells'),
        ),
      ],
      summary: summaryOf(known, 0),
    };
  },
};

/** A part without shards delivers the decision alone, on which all parts were made. */
export const germlineCall: Pipeline<CallInput> = {
  name: 'germline-call',
  version: 1,
  run: async (workflow, input) => {
    const known = await takeOver(workflow, input);
    const { intake, aligned, decision, choice } = known;
    const { caller } = choice;
    const { karyotype } = decision.sex;
    const { index, count } = input.part;
    const shards = calledShards(input, decision).filter(
      ({ number }) => partOf(number, count) === index,
    );
    await workflow.emit('plan', { shards: shards.length, caller });
    const calls = shards.map((shard) =>
      workflow.task(callForOthersStep({ input, aligned, shard, caller, karyotype })),
    );
    // The engine waits for ever for none.
    const called = calls.length === 0 ? [] : await workflow.all(calls);
    return {
      jobHash: hashOf(input, intake, { pipeline: germlineCall.name, shardPlan: shards }),
      deliverables: [
        fileOf(aligned, DECISION_JSON, 'what was decided on the alignment'),
        ...shards.flatMap((shard, i) =>
          CALL_OUTPUTS.map(({ name }) => ({
            ...fileOf(called[i] as TaskResult, name, 'calls of one shard'),
            path: shardPath(shard, name),
          })),
        ),
      ],
      summary: summaryOf(known, shards.length),
    };
  },
};

export const germlineFinish: Pipeline<FinishInput> = {
  name: 'germline-finish',
  version: 1,
  run: async (workflow, input) => {
    assertOneDecision(input.staged);
    const known = await takeOver(workflow, input);
    const { caller } = known.choice;
    const whole = { ...input, reads: readsElsewhere(known.intake) };
    return completeAnalysis(
      workflow,
      { ...known, input: whole },
      {
        report: reportTask,
        callOf: (shard) => {
          const part = { index: partOf(shard.number, input.parts), count: input.parts };
          const from = taskOfStage({ kind: 'call', part });
          return importCallsStep({ input, shard, from, caller });
        },
      },
    );
  },
};

/** The pipeline of each stage. */
export const STAGE_PIPELINES = {
  whole: germline,
  align: germlineAlign,
  call: germlineCall,
  finish: germlineFinish,
} as const satisfies Record<AnalysisStage['kind'], unknown>;

/** The shards are dealt out in turn: neighbours are of like size, and so are the parts. From 1. */
function partOf(shardNumber: number, parts: number): number {
  return ((shardNumber - 1) % parts) + 1;
}

/** The alignment of another node. */
async function takeOver(workflow: Workflow, input: StagedInput): Promise<Aligned> {
  const taken = await workflow.task(importIntakeStep(input));
  const intake = await readIntake(workflow, taken);
  const aligned = await workflow.task(importAlignmentStep(input));
  return { intake, ...(await decide(workflow, input, aligned)) };
}

/** All parts were called with the caller and the sex of this alignment. */
function assertOneDecision(staged: readonly StagedFile[]): void {
  const decisions = staged.filter(({ name }) => name === DECISION_JSON);
  if (new Set(decisions.map(({ digest }) => digest)).size <= 1) return;
  throw new AppError('RESULT_DIFFERS', 'the calls were made on more than one decision', {
    hint: 'Take all parts from one job.',
  });
}

/** The reads as the report names them. They lie on no disk here, and no step of this stage reads them. */
function readsElsewhere({ r1, r2 }: Intake): GermlineInput['reads'] {
  const of = (mate: 1 | 2, { digest, compression }: Intake['r1']): FileRef => {
    const name = readsName(mate, compression !== 'none');
    return { name, digest, sizeBytes: 0, location: name };
  };
  return { r1: of(1, r1), r2: r2 === null ? null : of(2, r2) };
}

function fileOf(from: TaskResult, output: string, description: string): Deliverable {
  return { path: output, source: { task: from.key, output }, description };
}
