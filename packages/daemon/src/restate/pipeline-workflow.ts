/** A pipeline as a versioned Restate workflow, keyed `jobId#generation`. */
import type { Pipeline, PipelineResult } from '@helixmesh/pipelines';
import { AppError, type ErrorRecord, type Json } from '@helixmesh/protocol';
import {
  TerminalError,
  type WorkflowContext,
  type WorkflowSharedContext,
  workflow,
} from '@restatedev/restate-sdk';
import { recordOf } from './failure.ts';
import { HANDLER_OPTIONS } from './options.ts';
import { type AdapterEffects, restateWorkflow } from './workflow-adapter.ts';

export interface JobRef {
  readonly jobId: string;
  readonly generation: number;
}

/** The SQL side of a job; every function is idempotent. */
export interface JobEffects extends AdapterEffects {
  /** The immutable document of the job. */
  input(jobId: string): Promise<unknown>;
  started(job: JobRef): Promise<void>;
  finished(job: JobRef, result: PipelineResult): Promise<void>;
  failed(job: JobRef, error: ErrorRecord): Promise<void>;
}

/** Pipelines of unlike inputs share one list; a job's document has the form of its own pipeline. */
// biome-ignore lint/suspicious/noExplicitAny: the input type is known to each pipeline alone.
export type AnyPipeline = Pipeline<any>;

/** `germline.v1`. */
export function serviceName(pipeline: Pick<AnyPipeline, 'name' | 'version'>): string {
  return `${pipeline.name}.v${pipeline.version}`;
}

export function workflowKey({ jobId, generation }: JobRef): string {
  return `${jobId}#${generation}`;
}

export function pipelineWorkflow(pipeline: AnyPipeline, effects: JobEffects) {
  return workflow({
    name: serviceName(pipeline),
    handlers: {
      run: async (context: WorkflowContext, job: JobRef): Promise<void> => {
        // Read outside the journal: the document never changes once the job exists.
        const input = await effects.input(job.jobId);
        await context.run('started', () => effects.started(job));
        const adapter = restateWorkflow(context, { ...job, effects });
        try {
          const result = await pipeline.run(adapter, input);
          await context.run('finished', () => effects.finished(job, result));
        } catch (error) {
          if (!(error instanceof TerminalError || error instanceof AppError)) throw error;
          const record = recordOf(error);
          await context.run('failed', () => effects.failed(job, record));
        }
      },
      /** Answers `Workflow.signal(name)`, once. */
      signal: async (
        context: WorkflowSharedContext,
        { name, value }: { name: string; value: Json },
      ): Promise<void> => context.promise<Json>(name).resolve(value),
    },
    options: HANDLER_OPTIONS,
  });
}
