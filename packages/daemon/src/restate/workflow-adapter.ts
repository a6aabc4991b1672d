/** The `Workflow` port over a Restate workflow context. */
import {
  JOURNAL_VALUE_MAX_BYTES,
  type OutputRef,
  type TaskResult,
  type TaskSpec,
  type Workflow,
} from '@helixmesh/pipelines';
import { AppError, type Json } from '@helixmesh/protocol';
import { RestatePromise, type WorkflowContext } from '@restatedev/restate-sdk';
import { callTask } from './task-object.ts';

export interface AdapterEffects {
  readOutput(output: OutputRef): Promise<Json>;
  emit(event: { jobId: string; name: string; payload: Json }): Promise<void>;
}

export interface AdapterOptions {
  readonly jobId: string;
  readonly generation: number;
  readonly effects: AdapterEffects;
}

export function restateWorkflow(
  context: WorkflowContext,
  { jobId, generation, effects }: AdapterOptions,
): Workflow {
  return {
    task: (spec: TaskSpec): Promise<TaskResult> => {
      assertSmall(spec, `the specification of ${spec.name}`);
      return callTask(context, { jobId, generation, spec });
    },
    readJson: (output) =>
      context.run(`read ${output.output}`, async () =>
        small(await effects.readOutput(output), output.output),
      ),
    step: (name, action) => context.run(name, async () => small(await action(), name)),
    all: (pending) => RestatePromise.all(pending as readonly RestatePromise<never>[]),
    race: (pending) => RestatePromise.race(pending as readonly RestatePromise<never>[]),
    signal: <T extends Json>(name: string) => context.promise<T>(name).get(),
    sleep: (durationMs) => context.sleep(durationMs),
    now: () => context.date.now(),
    random: () => context.rand.random(),
    emit: (name, payload) =>
      context.run(`emit ${name}`, () =>
        effects.emit({ jobId, name, payload: small(payload, name) }),
      ),
  };
}

function small<T>(value: T, what: string): T {
  assertSmall(value, what);
  return value;
}

function assertSmall(value: unknown, what: string): void {
  const size = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (size <= JOURNAL_VALUE_MAX_BYTES) return;
  throw new AppError('INTERNAL', `${what} has ${size} bytes, more than a journal entry may hold`, {
    hint: `Journal digests and figures of at most ${JOURNAL_VALUE_MAX_BYTES} bytes.`,
  });
}
