/**
 * The real engine for the compliance suite of the workflow port: a Restate server of its own, our
 * handlers, and the suite's effects in place of SQL and tools.
 *
 * A crash cuts every connection and freezes all effects of that incarnation, as a killed process
 * would; what an effect had recorded before stays, as SQL would keep it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskResult } from '@helixmesh/pipelines';
import type {
  ComplianceEngine,
  ComplianceFactory,
} from '@helixmesh/pipelines/testing/workflow-compliance';
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import type { Outcome } from '../../jobs/attempts.ts';
import { engineRequest } from '../engine-http.ts';
import { type HandlerEndpoint, serveHandlers } from '../handlers.ts';
import { type JobEffects, pipelineWorkflow } from '../pipeline-workflow.ts';
import { identityPublicKey, type RestateServer, startRestateServer } from '../server.ts';
import { jobTaskService, type TaskEffects, taskObject } from '../task-object.ts';

type Effects = Parameters<ComplianceFactory>[0];
type Run = ComplianceEngine['run'];
type RunOutcome = Awaited<ReturnType<Run>>;
type AnyRequest = Parameters<Run>[0];

/** What would stand in SQL. */
interface World {
  readonly outcomes: Map<string, Outcome>;
  readonly results: Map<string, TaskResult>;
}

/** One life of a job. */
interface Life {
  readonly request: AnyRequest;
  readonly mortal: Mortal;
  readonly end: (outcome: RunOutcome) => void;
}

export const restateEngine: ComplianceFactory = async (effects) => {
  const folder = await mkdtemp(join(tmpdir(), 'hx-restate-'));
  const server = await startRestateServer(folder);
  const world: World = { outcomes: new Map(), results: new Map() };
  const lives = new Map<string, Life>();
  const pipelines = new Map<string, AnyRequest['pipeline']>();
  const lifeOf = (jobId: string): Life => {
    const life = lives.get(jobId);
    if (life === undefined) throw new AppError('INTERNAL', `no run of ${jobId}`);
    return life;
  };
  let endpoint: Promise<HandlerEndpoint> | null = null;

  async function serve(): Promise<HandlerEndpoint> {
    const identityKey = await identityPublicKey(folder);
    const tasks = taskEffects({ effects, world, server, lifeOf });
    const services = [
      taskObject(tasks),
      jobTaskService(tasks),
      ...[...pipelines.values()].map((each) =>
        pipelineWorkflow(each, jobEffects({ effects, lifeOf })),
      ),
    ];
    return serveHandlers({ services, stateDir: folder, admin: server.admin, identityKey });
  }

  async function close(): Promise<void> {
    const open = endpoint;
    endpoint = null;
    await (await open)?.close();
  }

  async function run(request: AnyRequest): Promise<RunOutcome> {
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    const mortal = createMortal(request.crashAt ?? Number.POSITIVE_INFINITY);
    mortal.onDeath(() => resolve({ status: 'crashed' }));
    lives.set(request.jobId, { request, mortal, end: resolve });
    if (pipelines.get(request.pipeline.name) !== request.pipeline) {
      pipelines.set(request.pipeline.name, request.pipeline);
      await close();
    }
    endpoint ??= serve();
    await endpoint;
    await start(server, request);
    const outcome = await promise;
    if (outcome.status === 'crashed') await close();
    return outcome;
  }

  return {
    run: (request) => run(request as AnyRequest),
    // A job that has just been asked for may not be registered yet: nobody has taken the signal.
    signal: async (jobId, name, value) => {
      for (let taken = false; !taken; ) {
        const pipeline = [...pipelines.values()].at(-1);
        const service = `${pipeline?.name}.v${pipeline?.version}`;
        const reply = await engineRequest(server.ingress, {
          method: 'POST',
          path: `/${service}/${jobId}%231/signal`,
          body: { name, value },
        });
        taken = reply.status < 300;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

async function start(server: RestateServer, { jobId, pipeline }: AnyRequest): Promise<void> {
  const path = `/${pipeline.name}.v${pipeline.version}/${jobId}%231/run/send`;
  await engineRequest(server.ingress, { method: 'POST', path, body: { jobId, generation: 1 } });
}

interface Mortal {
  /** Does one effect; the one that reaches the limit is recorded and is the last. */
  act<T>(effect: () => Promise<T>): Promise<T>;
  onDeath(listener: () => void): void;
}

/** Counts effects and freezes them all at the limit. */
function createMortal(limit: number): Mortal {
  const listeners: (() => void)[] = [];
  let done = 0;
  const never = new Promise<never>(() => undefined);
  return {
    async act(effect) {
      if (done >= limit) return never;
      const value = await effect();
      done += 1;
      if (done < limit) return value;
      for (const listener of listeners) listener();
      return never;
    },
    onDeath: (listener) => listeners.push(listener),
  };
}

interface TaskSide {
  readonly effects: Effects;
  readonly world: World;
  readonly server: RestateServer;
  readonly lifeOf: (jobId: string) => Life;
}

function taskEffects({ effects, world, server, lifeOf }: TaskSide): TaskEffects {
  const wake = (awakeable: string) =>
    engineRequest(server.ingress, {
      method: 'POST',
      path: `/restate/awakeables/${awakeable}/resolve`,
      body: null,
    });
  return {
    lookup: ({ jobId, spec }) =>
      lifeOf(jobId).mortal.act(async () => {
        const result = world.results.get(spec.name);
        return result === undefined ? { status: 'run', missing: [] } : { status: 'known', result };
      }),
    enqueue: (request, awakeable) =>
      lifeOf(request.jobId).mortal.act(async () => {
        if (world.outcomes.has(awakeable)) return;
        world.outcomes.set(awakeable, { status: 'pending' });
        effects.runTask(request.spec).then(
          async (result) => {
            world.results.set(request.spec.name, result);
            world.outcomes.set(awakeable, { status: 'complete', result });
            await wake(awakeable);
          },
          async (error) => {
            const record: ErrorRecord = AppError.from(error).toRecord();
            world.outcomes.set(awakeable, { status: 'failed', error: record });
            await wake(awakeable);
          },
        );
      }),
    outcome: async (awakeable) => world.outcomes.get(awakeable) ?? { status: 'pending' },
    retried: async () => undefined,
    paused: async () => undefined,
    resumed: async () => undefined,
    failed: async () => undefined,
  };
}

interface JobSide {
  readonly effects: Effects;
  readonly lifeOf: (jobId: string) => Life;
}

function jobEffects({ effects, lifeOf }: JobSide): JobEffects {
  const end = (jobId: string, outcome: RunOutcome) => {
    const { mortal, end: tell } = lifeOf(jobId);
    return mortal.act(async () => tell(outcome));
  };
  return {
    input: async (jobId) => lifeOf(jobId).request.input,
    started: async () => undefined,
    finished: ({ jobId }, result) => end(jobId, { status: 'completed', result }),
    failed: ({ jobId }, error) => end(jobId, { status: 'failed', error }),
    readOutput: (output) => effects.readOutput(output),
    emit: (event) => lifeOf(event.jobId).mortal.act(() => effects.emit(event)),
  };
}
