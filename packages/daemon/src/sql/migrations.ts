/** The one set of migrations. A migration that has shipped is never edited. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { canaries } from './canaries-migration.ts';
import { handovers } from './handovers-migration.ts';
import { networkTasks } from './network-tasks-migration.ts';
import { placement } from './placement-migration.ts';

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-jobs-tasks-journal': { up: jobsTasksJournal },
  '0002-nodes': { up: nodes },
  '0003-network-tasks': { up: networkTasks },
  '0004-placement': { up: placement },
  '0005-canaries': { up: canaries },
  '0006-handovers': { up: handovers },
};

async function jobsTasksJournal(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('job_id', 'text', (c) => c.primaryKey())
    .addColumn('sample_id', 'text', (c) => c.notNull())
    .addColumn('pipeline', 'text', (c) => c.notNull())
    .addColumn('workflow', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('submission_key', 'text', (c) => c.notNull())
    .addColumn('job_hash', 'text')
    .addColumn('out_dir', 'text', (c) => c.notNull())
    .addColumn('keep_intermediates', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('result', 'text')
    .addColumn('recovered', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .execute();
  await db.schema
    .createIndex('jobs_sample')
    .on('jobs')
    .columns(['sample_id', 'created_at'])
    .execute();
  await db.schema
    .createTable('outbox')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('job_id', 'text', (c) => c.notNull().references('jobs.job_id'))
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('sent_at', 'bigint')
    .addUniqueConstraint('outbox_once', ['job_id', 'generation'])
    .execute();
  await db.schema
    .createTable('tasks')
    .addColumn('task_key', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('pool', 'text', (c) => c.notNull())
    .addColumn('spec', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('pruned', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('completed_at', 'bigint')
    .execute();
  await db.schema
    .createTable('job_tasks')
    .addColumn('job_id', 'text', (c) => c.notNull().references('jobs.job_id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('task_key', 'text', (c) => c.notNull().references('tasks.task_key'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reused', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('resume_token', 'text')
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addPrimaryKeyConstraint('job_tasks_pk', ['job_id', 'name'])
    .execute();
  await db.schema
    .createTable('attempts')
    .addColumn('attempt_id', 'text', (c) => c.primaryKey())
    .addColumn('task_key', 'text', (c) => c.notNull().references('tasks.task_key'))
    .addColumn('job_id', 'text', (c) => c.notNull().references('jobs.job_id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('pool', 'text', (c) => c.notNull())
    .addColumn('cores', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('fencing_token', 'integer', (c) => c.notNull())
    .addColumn('awakeable', 'text', (c) => c.notNull())
    .addColumn('acknowledged', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('queued_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('wall_ms', 'real')
    .addColumn('exit_code', 'integer')
    .addColumn('command', 'text')
    .addColumn('stderr_tail', 'text')
    .addColumn('error', 'text')
    .addUniqueConstraint('attempts_fencing', ['task_key', 'fencing_token'])
    .execute();
  await db.schema
    .createIndex('attempts_queue')
    .on('attempts')
    .columns(['state', 'pool', 'queued_at'])
    .execute();
  await db.schema.createIndex('attempts_job').on('attempts').column('job_id').execute();
  await db.schema.createIndex('attempts_wait').on('attempts').column('awakeable').execute();
  await db.schema
    .createTable('journal')
    .addColumn('sequence', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('event_key', 'text', (c) => c.notNull().unique())
    .addColumn('sample_id', 'text', (c) => c.notNull())
    .addColumn('job_id', 'text', (c) => c.notNull().references('jobs.job_id'))
    .addColumn('step', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('journal_sample')
    .on('journal')
    .columns(['sample_id', 'sequence'])
    .execute();
  await db.schema
    .createIndex('journal_job')
    .on('journal')
    .columns(['job_id', 'sequence'])
    .execute();
  // The seed's own query: SELECT * FROM genomics_journal WHERE sample_id = '…'.
  await sql`CREATE VIEW genomics_journal AS
    SELECT sequence, sample_id, step || '_' || state AS step, at / 1000 AS timestamp, payload
    FROM journal`.execute(db);
}

async function nodes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('nodes')
    .addColumn('node_id', 'text', (c) => c.primaryKey())
    .addColumn('registration', 'text', (c) => c.notNull())
    .addColumn('registration_id', 'text', (c) => c.notNull())
    .addColumn('is_zone_verified', 'integer', (c) => c.notNull())
    .addColumn('admission', 'text', (c) => c.notNull())
    .addColumn('verified', 'text')
    .addColumn('first_registered_at', 'bigint', (c) => c.notNull())
    .addColumn('registered_at', 'bigint', (c) => c.notNull())
    .addColumn('drain_asked_at', 'bigint')
    .addColumn('heartbeat', 'text')
    .addColumn('heartbeat_at', 'bigint')
    .addColumn('uptime_first_at', 'bigint')
    .addColumn('uptime_last_at', 'bigint')
    .addColumn('uptime_online_ms', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
}
