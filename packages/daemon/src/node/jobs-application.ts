/**
 * The application that runs jobs: the durable engine, what it calls, and the pools of workers.
 *
 *   supervisor
 *     ├─ restate     the durable engine, unless one of your own is configured
 *     ├─ handlers    what the engine calls
 *     ├─ qc, align, call, annotate, report   pools of workers, each under its own supervisor
 *     └─ reconciler  compares SQL with the engine every minute
 */
import { existsSync } from 'node:fs';
import { type OutputRef, probeSandbox, probeTools } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { prepareThread, sweepScratch } from '../executor/index.ts';
import type { JobHandlerOptions } from '../http/handlers.ts';
import { pursueCancels } from '../jobs/cancel.ts';
import type { ControlOptions } from '../jobs/control.ts';
import { type DeliverOptions, deliverJob, undelivered } from '../jobs/deliver.ts';
import { createDispatcher } from '../jobs/dispatch.ts';
import { jobEffects, taskEffects } from '../jobs/effects.ts';
import { markRecovered } from '../jobs/jobs.ts';
import { createLiveProgress } from '../jobs/progress.ts';
import { createAttemptQueue } from '../jobs/queue.ts';
import type { OutcomePoll } from '../restate/limits.ts';
import { type AnyPipeline, pipelineWorkflow, serviceName } from '../restate/pipeline-workflow.ts';
import { jobTaskService, taskObject } from '../restate/task-object.ts';
import { CoreBudget, Supervisor } from '../supervision/index.ts';
import { type Application, OK, type Placed } from './application.ts';
import { type Assignments, createAssignments, pathOf, readPublishedJson } from './assignments.ts';
import { type Engine, engineOf, handlersChild } from './children.ts';
import type { Ground } from './ground.ts';
import { DRAIN_MS } from './limits.ts';
import type { Logger } from './logger.ts';
import { createPools } from './pools.ts';
import { createReconciler, type Reconciler } from './reconciler.ts';
import { VERSION } from './version.ts';

export interface JobsOptions
  extends Pick<Ground, 'config' | 'paths' | 'database' | 'metrics' | 'logger' | 'wasHeld'> {
  readonly pipelines: readonly AnyPipeline[];
  readonly outcomePoll?: OutcomePoll | undefined;
}

export interface Jobs {
  readonly placed: Placed;
  /** What the API's routes need. */
  readonly handling: JobHandlerOptions;
  /** Resolves when the application has stopped; rejects when its supervisor gave up. */
  readonly exited: Promise<void>;
  load(): Load;
}

/** What jobs take of the machine now. */
export interface Load {
  readonly attempts: number;
  readonly cores: number;
}

/** Builds the application; nothing runs before its start. */
export function createJobs(options: JobsOptions): Jobs {
  const { config, paths, database, metrics, logger, pipelines } = options;
  const postponed = () => reconciler.hurry();
  const engine = engineOf(config, paths.restateDir);
  const dispatcher = createDispatcher({ database, ingress: engine.ingress, postponed });
  const queue = createAttemptQueue(database);
  const outputPath = (task: string, output: string) => pathOf(paths.storeRoot, task, output);
  const deliver = createDeliverer(
    { database, dataDir: paths.dataDir, outputPath, version: VERSION },
    logger,
  );
  const effects = {
    database,
    hasOutput: ({ task, output }: OutputRef) => existsSync(outputPath(task, output)),
    readOutput: (output: OutputRef) => readPublishedJson(paths.storeRoot, output),
    queued: queue.notify,
    finished: deliver,
  };
  const services = [
    taskObject(taskEffects(effects), options.outcomePoll),
    jobTaskService(taskEffects(effects)),
    ...pipelines.map((pipeline) => pipelineWorkflow(pipeline, jobEffects(effects))),
  ];
  const assignments = createAssignments({
    database,
    paths,
    limitsFactor: config.limitsFactor,
    logger,
    metrics,
    wake: (awakeable) => dispatcher.wake(awakeable, null),
    postponed,
  });
  const control: ControlOptions = {
    database,
    dataDir: paths.dataDir,
    abortJob: assignments.abortJob,
    wake: dispatcher.wake,
    dispatch: dispatcher.dispatch,
    deliver,
    postponed,
  };
  const reconciler = createReconciler(async () => {
    for (const jobId of await undelivered(database)) deliver(jobId);
    await dispatcher.reconcile();
    await pursueCancels(control);
  }, logger);
  const draining = new AbortController();
  const cores = new CoreBudget(config.cores);
  const root = createRoot({
    ...{ options, services, engine, queue, cores },
    ...{ assignments, draining, reconciler },
  });
  return {
    placed: place({ options, root, assignments, draining, deliver }),
    exited: root.exited,
    load: () => ({ attempts: assignments.count, cores: cores.held }),
    handling: {
      submitting: {
        database,
        dataDir: paths.dataDir,
        referenceRoot: paths.referenceRoot,
        workflowOf: (name) => newestOf(pipelines, name),
      },
      control,
      live: createLiveProgress(assignments.fractionOf),
      workflows: pipelines.map(serviceName),
    },
  };
}

interface RootParts {
  readonly options: JobsOptions;
  readonly services: Parameters<typeof handlersChild>[0]['services'];
  readonly engine: Engine;
  readonly queue: ReturnType<typeof createAttemptQueue>;
  readonly cores: CoreBudget;
  readonly assignments: Assignments;
  readonly draining: AbortController;
  readonly reconciler: Reconciler;
}

function createRoot(parts: RootParts): Supervisor {
  const { paths, database, metrics, logger } = parts.options;
  const { services, engine, queue, cores, assignments, draining, reconciler } = parts;
  const pools = { database, queue, assignments, cores, draining: draining.signal, metrics, logger };
  return new Supervisor({
    name: 'node',
    onRestart: (child) => {
      logger.warn({ child }, 'restarted');
      metrics.workerRestarted('node');
    },
    children: [
      ...(engine.child === null ? [] : [engine.child]),
      handlersChild({ services, stateDir: paths.restateDir, engine }),
      ...createPools(pools),
      reconciler.child,
    ],
  });
}

interface PlaceParts {
  readonly options: JobsOptions;
  readonly root: Supervisor;
  readonly assignments: Assignments;
  readonly draining: AbortController;
  readonly deliver: Deliverer;
}

function place({ options, root, assignments, draining, deliver }: PlaceParts): Placed {
  const { paths, database, logger, wasHeld } = options;
  let drainEndsMs: number | null = null;
  let isServing = false;
  const drain = () => {
    drainEndsMs ??= performance.now() + DRAIN_MS;
    draining.abort();
  };
  const application: Application = {
    name: 'jobs',
    start: async () => {
      await sweepScratch(paths.scratchRoot);
      const recovered = wasHeld ? await markRecovered(database, String(Date.now())) : [];
      logger.info({ recovered: recovered.length }, 'jobs taken up');
      // While the engine starts: the thread of a job's first step, and the versions of the tools,
      // which are kept. What goes wrong here is told to the job that asks again.
      prepareThread();
      void Promise.all([probeTools(), probeSandbox()]).catch(() => undefined);
      await root.start();
      isServing = true;
    },
    stop: async () => {
      drain();
      if (isServing) await assignments.idle(Math.max(0, (drainEndsMs ?? 0) - performance.now()));
      isServing = false;
      await root.stop();
      await deliver.idle();
    },
    health: () => (isServing ? OK : { status: 'failing', why: 'its supervisor has ended' }),
  };
  root.exited
    .catch(() => undefined)
    .then(() => {
      isServing = false;
    });
  return { application, after: [], drain, stopMs: Number.POSITIVE_INFINITY };
}

function newestOf(pipelines: readonly AnyPipeline[], name: string): string {
  const newest = pipelines.filter((p) => p.name === name).sort((a, b) => b.version - a.version)[0];
  if (newest === undefined) {
    throw new AppError('USAGE', `no pipeline ${name}`, { hint: 'Known: germline.' });
  }
  return serviceName(newest);
}

interface Deliverer {
  (jobId: string): void;
  idle(): Promise<void>;
}

/** Delivers in the background, one job at a time. */
function createDeliverer(options: DeliverOptions, logger: Logger): Deliverer {
  let last = Promise.resolve();
  const deliver = (jobId: string) => {
    last = last
      .then(() => deliverJob(options, jobId))
      .catch((error) => {
        logger.error({ jobId, code: AppError.from(error).code }, 'delivery failed');
      });
  };
  return Object.assign(deliver, { idle: () => last });
}
