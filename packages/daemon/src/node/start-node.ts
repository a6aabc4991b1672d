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
import { germline, type OutputRef } from '@helixmesh/pipelines';
import { AppError } from '@helixmesh/protocol';
import { prepareThread, sweepScratch } from '../executor/index.ts';
import { apiHandlers } from '../http/handlers.ts';
import { serveApi } from '../http/server.ts';
import type { ControlOptions } from '../jobs/control.ts';
import { type DeliverOptions, deliverJob, undelivered } from '../jobs/deliver.ts';
import { createDispatcher, type Dispatcher } from '../jobs/dispatch.ts';
import { jobEffects, taskEffects } from '../jobs/effects.ts';
import { markRecovered } from '../jobs/jobs.ts';
import { createAttemptQueue } from '../jobs/queue.ts';
import { serveHandlers } from '../restate/handlers.ts';
import type { OutcomePoll } from '../restate/limits.ts';
import { type AnyPipeline, pipelineWorkflow, serviceName } from '../restate/pipeline-workflow.ts';
import { addressesUnder, identityPublicKey, startRestateServer } from '../restate/server.ts';
import { jobTaskService, taskObject } from '../restate/task-object.ts';
import { openDatabase } from '../sql/database.ts';
import { type ChildSpec, CoreBudget, Supervisor } from '../supervision/index.ts';
import { createAssignments, pathOf, readPublishedJson } from './assignments.ts';
import type { NodeConfig } from './config.ts';
import { watchDisk } from './disk-guard.ts';
import { lockDataFolder } from './lock.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { nodePaths } from './paths.ts';
import { createPools } from './pools.ts';
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
  const paths = nodePaths(config.dataDir);
  await mkdir(paths.dataDir, { recursive: true, mode: 0o700 });
  const disk = await watchDisk(paths.dataDir);
  const lock = await lockDataFolder(paths.lockFile);
  const logger = createLogger(paths.logFile, config.logLevel);
  const database = await openDatabase(paths.database);
  const metrics = createMetrics(database);

  await sweepScratch(paths.scratchRoot);
  const recovered = lock.wasHeld ? await markRecovered(database, String(Date.now())) : [];
  logger.info({ recovered: recovered.length }, 'node starting');

  const engine = engineOf(config, paths.restateDir);
  const dispatcher = createDispatcher({ database, ...engine });
  const queue = createAttemptQueue(database);
  const outputPath = (task: string, output: string) => pathOf(paths.storeRoot, task, output);
  const deliver = createDeliverer(
    { database, storeRoot: paths.storeRoot, outputPath, version: VERSION },
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
    taskObject(taskEffects(effects), outcomePoll),
    jobTaskService(taskEffects(effects)),
    ...pipelines.map((pipeline) => pipelineWorkflow(pipeline, jobEffects(effects))),
  ];
  const assignments = createAssignments({
    database,
    paths,
    logger,
    metrics,
    wake: (awakeable) => dispatcher.wake(awakeable, null),
  });

  const draining = new AbortController();
  const root = new Supervisor({
    name: 'node',
    onRestart: (child) => {
      logger.warn({ child }, 'restarted');
      metrics.workerRestarted('node');
    },
    children: [
      ...(engine.embedded ? [restateChild(paths.restateDir)] : []),
      handlersChild({ services, stateDir: paths.restateDir, engine }),
      ...createPools({
        database,
        queue,
        assignments,
        cores: new CoreBudget(config.cores),
        draining: draining.signal,
        metrics,
        logger,
      }),
      reconcilerChild(dispatcher, logger),
    ],
  });
  // It loads while the engine starts, for a job's first step runs in a thread.
  prepareThread();
  await root.start();
  for (const jobId of await undelivered(database)) deliver(jobId);

  const control: ControlOptions = {
    database,
    dataDir: paths.dataDir,
    abortJob: assignments.abortJob,
    wake: dispatcher.wake,
    dispatch: dispatcher.dispatch,
    deliver,
  };
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
      version: VERSION,
      workflows,
    }),
    metrics: metrics.text,
    onError: (error) => logger.warn({ code: error.code }, 'request refused'),
  });
  logger.info({ workflows }, 'node ready');

  const stop = once(async () => {
    disk.stop();
    await api.close();
    draining.abort();
    await assignments.idle(DRAIN_MS);
    await root.stop();
    await deliver.idle();
    await database.destroy();
    await lock.release();
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

interface Engine {
  readonly embedded: boolean;
  readonly ingress: string;
  readonly admin: string;
  readonly identityKey: () => Promise<string | null>;
}

function engineOf(config: NodeConfig, restateDir: string): Engine {
  const { restateIngressUrl: ingress, restateAdminUrl: admin, restateIdentityKey: key } = config;
  if (ingress !== null && admin !== null) {
    return { embedded: false, ingress, admin, identityKey: async () => key };
  }
  return {
    embedded: true,
    ...addressesUnder(restateDir),
    identityKey: () => identityPublicKey(restateDir),
  };
}

function restateChild(restateDir: string): ChildSpec {
  return { name: 'restate', start: () => startRestateServer(restateDir) };
}

function handlersChild({
  services,
  stateDir,
  engine,
}: {
  services: Parameters<typeof serveHandlers>[0]['services'];
  stateDir: string;
  engine: Engine;
}): ChildSpec {
  return {
    name: 'handlers',
    start: async () => {
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
      const identityKey = await engine.identityKey();
      const endpoint = await serveHandlers({
        services,
        stateDir,
        admin: engine.admin,
        identityKey,
      });
      return { exited: endpoint.closed, stop: endpoint.close };
    },
  };
}

/** How often SQL is compared with the engine (formats.md). */
const RECONCILE_INTERVAL_MS = 60_000;

function reconcilerChild(dispatcher: Dispatcher, logger: Logger): ChildSpec {
  return {
    name: 'reconciler',
    start: async () => {
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      const tick = () =>
        dispatcher.reconcile().catch((error) => {
          // The engine is down; its supervisor restarts it and the next turn looks again.
          logger.warn({ code: AppError.from(error).code }, 'reconciling postponed');
        });
      await tick();
      const timer = setInterval(tick, RECONCILE_INTERVAL_MS);
      return {
        exited,
        stop: async () => {
          clearInterval(timer);
          resolve();
        },
      };
    },
  };
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

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= action();
    return done;
  };
}
