/**
 * What the node counts, for Prometheus. Labels hold routes, pools, states and names of applications:
 * never samples, accounts, datasets or addresses.
 */
import type { CacheStats } from '@helixmesh/vault';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Answered } from '../network/options.ts';
import type { Database } from '../sql/database.ts';
import type { SentPart } from '../storage/reading.ts';
import type { NamedHealth } from './application.ts';

export interface NodeMetrics {
  attemptEnded(pool: string, status: string, wallSeconds: number): void;
  workerRestarted(supervisor: string): void;
  /** A request from the network was answered. */
  answered(request: Answered): void;
  /** A vault has sent so many bytes of that part of an object. */
  sent(part: SentPart, bytes: number): void;
  /** Who is asked what is kept of fetched bodies. */
  watchCache(stats: () => CacheStats | null): void;
  /** Who is asked how the applications are. */
  watchHealth(health: () => readonly NamedHealth[]): void;
  text(): Promise<string>;
}

/** Requests take from a millisecond to the minutes of a long body. */
const REQUEST_BUCKETS_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];
/** Attempts take from tenths of a second to hours. */
const WALL_BUCKETS_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200];

export function createMetrics(database: Database): NodeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const attempts = new Histogram({
    name: 'helixmesh_attempt_duration_seconds',
    help: 'Wall time of task attempts',
    labelNames: ['pool', 'status'],
    buckets: WALL_BUCKETS_SECONDS,
    registers,
  });
  const restarts = new Counter({
    name: 'helixmesh_restarts_total',
    help: 'Children restarted by supervisors',
    labelNames: ['supervisor'],
    registers,
  });
  const requests = new Histogram({
    name: 'helixmesh_request_duration_seconds',
    help: 'Requests of other nodes and of people, by route and status of HTTP',
    labelNames: ['route', 'status'],
    buckets: REQUEST_BUCKETS_SECONDS,
    registers,
  });
  const sent = new Counter({
    name: 'helixmesh_vault_sent_bytes_total',
    help: 'Bytes of objects that the vault has sent, by part: body, tags, nodes',
    labelNames: ['part'],
    registers,
  });
  let health: () => readonly NamedHealth[] = () => [];
  new Gauge({
    name: 'helixmesh_application_health',
    help: '1 for the status that an application has, 0 for the others',
    labelNames: ['application', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { name, status } of health()) {
        for (const one of STATUSES)
          this.set({ application: kindOf(name), status: one }, Number(one === status));
      }
    },
  });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'helixmesh_jobs',
    help: 'Jobs by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const rows = await database
        .selectFrom('jobs')
        .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute();
      this.reset();
      for (const row of rows) this.set({ state: row.state }, row.count);
    },
  });
  return {
    attemptEnded: (pool, status, wallSeconds) => attempts.observe({ pool, status }, wallSeconds),
    workerRestarted: (supervisor) => restarts.inc({ supervisor }),
    answered: ({ route, status, seconds }) =>
      requests.observe({ route, status: String(status) }, seconds),
    sent: (part, bytes) => sent.inc({ part }, bytes),
    watchCache: (stats) => countCache(registry, stats),
    watchHealth(ask) {
      health = ask;
    },
    text: () => registry.metrics(),
  };
}

/** Of a node that keeps what it fetches. */
function countCache(registry: Registry, stats: () => CacheStats | null): void {
  const registers = [registry];
  new Gauge({
    name: 'helixmesh_cache_kept_bytes',
    help: 'Sealed bodies that are kept to be read again',
    registers,
    collect() {
      this.set(stats()?.keptBytes ?? 0);
    },
  });
  const counted = { fetched_bytes: 'fetchedBytes', hits: 'hits', evictions: 'evictions' } as const;
  for (const [name, of] of Object.entries(counted)) {
    new Counter({
      name: `helixmesh_cache_${name}_total`,
      help: 'Blocks of sealed bodies: bytes fetched, reads without fetching, evictions',
      registers,
      collect() {
        this.reset();
        this.inc(stats()?.[of] ?? 0);
      },
    });
  }
}

const STATUSES = ['ok', 'degraded', 'failing'] as const;

/** Without the address that the name of a membership has. */
function kindOf(application: string): string {
  return application.split(' ', 1)[0] ?? application;
}
