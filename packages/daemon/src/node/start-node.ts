/**
 * The composition root: builds every part of a node top to bottom and stops them in reverse.
 *
 *   root supervisor
 *     ├─ restate     the durable engine, unless one of your own is configured
 *     ├─ handlers    what the engine calls
 *     ├─ qc, align, call, annotate, report   pools of workers, each under its own supervisor
 *     └─ reconciler  compares SQL with the engine every minute
 *   api              the local socket
 */

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { germline, type OutputRef, probeSandbox, probeTools } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { prepareThread, sweepScratch } from '../executor/index.ts';
import { apiHandlers } from '../http/handlers.ts';
import { serveApi } from '../http/server.ts';
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
import { openDatabase } from '../sql/database.ts';
import { CoreBudget, Supervisor } from '../supervision/index.ts';
import { createAssignments, pathOf, readPublishedJson } from './assignments.ts';
import { engineOf, handlersChild } from './children.ts';
import type { NodeConfig } from './config.ts';
import { watchDisk } from './disk-guard.ts';
import { lockDataFolder } from './lock.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { nodePaths } from './paths.ts';
import { createPools } from './pools.ts';
import { createReconciler } from './reconciler.ts';
import { VERSION } from './version.ts';

export interface RunningNode {
  readonly socketPath: string;
  /** Resolves when the node has stopped; rejects when its supervisor gave up. */
  readonly stopped: Promise<void>;
  /** Drains for at most ten seconds; what is cut off goes on at the next start. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly config: NodeConfig;
  /** All versions of all pipelines that may still have unfinished jobs; the last one is used. */
  readonly pipelines?: readonly AnyPipeline[];
  /** Other than the usual for tests of long waits. */
  readonly outcomePoll?: OutcomePoll;
}

/** Starts a node and answers when it takes jobs. Throws DATA_IN_USE when one runs there already. */
export async function startNode({
  config,
  pipelines = [germline],
  outcomePoll,
}: NodeOptions): Promise<RunningNode> {
  // What is started is put here, so that a start that fails half-way ends as a stop does: no timer
  // or file may keep the process alive without a node in it.
  await using started = new AsyncDisposableStack();
  const paths = nodePaths(config.dataDir);
  await mkdir(paths.dataDir, { recursive: true, mode: 0o700 });
  const disk = await watchDisk(paths.dataDir);
  started.defer(disk.stop);
  const lock = await lockDataFolder(paths.lockFile);
  started.defer(lock.release);
  const logger = createLogger(paths.logFile, config.logLevel);
  const database = await openDatabase(paths.database);
  started.defer(() => database.destroy());
  const metrics = createMetrics(database);

  await sweepScratch(paths.scratchRoot);
  const recovered = lock.wasHeld ? await markRecovered(database, String(Date.now())) : [];
  logger.info({ recovered: recovered.length }, 'node starting');

  const postponed = () => reconciler.hurry();
  const engine = engineOf(config, paths.restateDir);
  const dispatcher = createDispatcher({ database, ingress: engine.ingress, postponed });
  const queue = createAttemptQueue(database);
  const outputPath = (task: string, output: string) => pathOf(paths.storeRoot, task, output);
  const deliver = createDeliverer(
    { database, dataDir: paths.dataDir, outputPath, version: VERSION },
    logger,
  );
  started.defer(deliver.idle);
  const effects = {
    database,
    hasOutput: ({ task, output }: OutputRef) => existsSync(outputPath(task, output)),
    readOutput: (output: OutputRef) => readPublishedJson(paths.storeRoot, output),
    queued: queue.notify,
    finished: deliver,
  };
  const services = [
    taskObject(taskEffects(effects), outcomePoll),
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
  const pools = { database, queue, assignments, cores, draining: draining.signal, metrics, logger };
  const root = new Supervisor({
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
  // While the engine starts: the thread of a job's first step, and the versions of the tools, which
  // are kept. What goes wrong here is told to the job that asks again.
  prepareThread();
  void Promise.all([probeTools(), probeSandbox()]).catch(() => undefined);
  await root.start();
  started.defer(async () => {
    draining.abort();
    await assignments.idle(DRAIN_MS);
    await root.stop();
  });

  const workflows = pipelines.map(serviceName);
  const api = await serveApi({
    socketPath: paths.apiSocket,
    handlers: apiHandlers({
      submitting: {
        database,
        dataDir: paths.dataDir,
        referenceRoot: paths.referenceRoot,
        workflowOf: (name) => newestOf(pipelines, name),
      },
      control,
      live: createLiveProgress(assignments.fractionOf),
      version: VERSION,
      workflows,
    }),
    metrics: metrics.text,
    onError: (error) => logger.warn({ code: error.code }, 'request refused'),
  });
  started.defer(api.close);
  logger.info({ workflows }, 'node ready');

  const running = started.move();
  const stop = once(async () => {
    disk.stop(); // A disk that fills up now is no reason for this end.
    await running.disposeAsync();
    logger.info({}, 'node stopped');
  });
  return {
    socketPath: paths.apiSocket,
    stopped: Promise.race([root.exited, disk.full]).finally(stop),
    stop,
  };
}

/** What runs may end by itself for so long; with the rest a stop takes under ten seconds. */
const DRAIN_MS = 7_000;

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

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= action();
    return done;
  };
}
