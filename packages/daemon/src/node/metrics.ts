/** What the node counts, for Prometheus. Labels hold pools and states, never samples. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from '../sql/database.ts';

export interface NodeMetrics {
  attemptEnded(pool: string, status: string, wallSeconds: number): void;
  workerRestarted(supervisor: string): void;
  text(): Promise<string>;
}

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
    text: () => registry.metrics(),
  };
}
