/**
 * The composition root of a node, but for its network: the ground that every node stands on, and on it the applications of its
 * roles, each started after those that it needs.
 *
 *   jobs      runs jobs: a node without a role, and the roles compute and coordinator
 *   …         what the network adds (`network-applications.ts`)
 *   api       the local socket, last but one: a node that answers there is up
 *   metrics   what Prometheus scrapes, where that is set
 */
import { germline } from '@helixmesh/pipelines';
import type { Health } from '@helixmesh/protocol';
import type { OutcomePoll } from '../restate/limits.ts';
import type { AnyPipeline } from '../restate/pipeline-workflow.ts';
import { createApi } from './api-application.ts';
import { type Applications, createApplications } from './application.ts';
import type { NodeConfig } from './config.ts';
import { type Ground, openGround } from './ground.ts';
import { createJobs } from './jobs-application.ts';
import { scraping } from './metrics-application.ts';
import type { NetworkApplications, NetworkOptions } from './network-applications.ts';
import { VERSION } from './version.ts';

export interface RunningNode {
  readonly socketPath: string;
  /** `node_…@host:port` for others; null on a node without roles. */
  readonly address: string | null;
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
  /** Ends a start that is under way: it throws CANCELED, and nothing is left running. */
  readonly signal?: AbortSignal;
}

/** Builds what a node is in a network; null on one that is in none. */
export type NetworkOf = (
  ground: Ground,
  options: NetworkOptions,
) => Promise<NetworkApplications | null>;

/**
 * Starts a node and answers when it serves. Throws DATA_IN_USE when one runs there already; after
 * any failure nothing of it is left running.
 */
export async function runNode(
  { config, pipelines = [germline], outcomePoll, signal }: NodeOptions,
  networkOf: NetworkOf,
): Promise<RunningNode> {
  await using opened = new AsyncDisposableStack();
  const ground = opened.use(await openGround(config));
  const { logger, metrics, paths, disk } = ground;
  logger.info({ roles: config.roles }, 'node starting');

  const jobs = runsJobs(config) ? createJobs({ ...ground, pipelines, outcomePoll }) : null;
  const workflows = jobs?.handling.workflows ?? [];
  const isHealthy = () => ['ok', 'degraded'].includes(healthOf(applications, workflows).status);
  const network = await networkOf(ground, { jobs, opened, isHealthy });
  const placed = [...(jobs === null ? [] : [jobs.placed]), ...(network?.placed ?? [])];
  const api = createApi(ground, {
    after: placed.map(({ application }) => application.name),
    jobs: jobs?.handling ?? null,
    health: () => healthOf(applications, workflows),
  });
  const applications = createApplications([...placed, api, ...scraping(ground)], { logger });
  metrics.watchHealth(applications.health);
  opened.defer(applications.stop);
  await applications.start(signal);
  logger.info({ workflows }, 'node ready');

  const running = opened.move();
  const ended = Promise.withResolvers<void>();
  const stop = once(async () => {
    disk.stop(); // A disk that fills up now is no reason for this end.
    await running.disposeAsync();
    logger.info({}, 'node stopped');
    ended.resolve();
  });
  const exits = [disk.full, ended.promise, ...(jobs === null ? [] : [jobs.exited])];
  return {
    socketPath: paths.apiSocket,
    address: network?.address() ?? null,
    stopped: Promise.race(exits).finally(stop),
    stop,
  };
}

/** A node without a role is a machine that runs its owner's jobs. */
function runsJobs({ roles }: NodeConfig): boolean {
  return roles.length === 0 || roles.includes('compute') || roles.includes('coordinator');
}

function healthOf(applications: Applications, workflows: readonly string[]): Health {
  const states = applications.health();
  const worst = (['failing', 'degraded'] as const).find((status) => {
    return states.some((one) => one.status === status);
  });
  return {
    status: applications.isDraining ? 'draining' : (worst ?? 'ok'),
    version: VERSION,
    pid: process.pid,
    workflows: [...workflows],
    applications: [...states],
  };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= action();
    return done;
  };
}
