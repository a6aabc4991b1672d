/** The `Workflow` port over a Restate workflow context. */
import { JOURNAL_VALUE_MAX_BYTES, type OutputRef, type Workflow } from '@helixmesh/pipelines';
import { AppError, type Json } from '@helixmesh/protocol';
import type { WorkflowContext } from '@restatedev/restate-sdk';
import { Pending } from './pending.ts';
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
  const pending = <T>(inner: PromiseLike<T>): Promise<T> => new Pending(inner);
  return {
    task: (spec) => {
      assertSmall(spec, `the specification of ${spec.name}`);
      return pending(callTask(context, { jobId, generation, spec }));
    },
    readJson: (output) =>
      pending(
        context.run(`read ${output.output}`, async () =>
          small(await effects.readOutput(output), output.output),
        ),
      ),
    step: (name, action) => pending(context.run(name, async () => small(await action(), name))),
    all: (promises) => Pending.all(promises),
    race: (promises) => Pending.race(promises),
    signal: <T extends Json>(name: string) => pending(context.promise<T>(name).get()),
    sleep: (durationMs) => pending(context.sleep(durationMs)),
    now: () => pending(context.date.now()),
    random: () => context.rand.random(),
    emit: (name, payload) =>
      pending(
        context.run(`emit ${name}`, () =>
          effects.emit({ jobId, name, payload: small(payload, name) }),
        ),
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
