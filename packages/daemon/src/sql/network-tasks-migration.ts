/** Migration `0003-network-tasks`. */
import { type Kysely, sql } from 'kysely';

export async function networkTasks(db: Kysely<unknown>): Promise<void> {
  await jobsAndTasks(db);
  await replicas(db);
  await statements(db);
}

async function jobsAndTasks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('network_jobs')
    .addColumn('job_id', 'text', (c) => c.primaryKey())
    .addColumn('requester', 'text', (c) => c.notNull())
    .addColumn('nonce', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addUniqueConstraint('network_jobs_once', ['requester', 'nonce'])
    .execute();
  await db.schema
    .createTable('network_tasks')
    .addColumn('task_id', 'text', (c) => c.primaryKey())
    .addColumn('job_id', 'text', (c) => c.notNull().references('network_jobs.job_id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('redundancy', 'integer', (c) => c.notNull())
    .addColumn('replicas_max', 'integer', (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('round_target', 'integer', (c) => c.notNull())
    .addColumn('commit_deadline', 'bigint')
    .addColumn('reveal_deadline', 'bigint')
    .addColumn('last_token', 'integer', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('place_after', 'bigint', (c) => c.notNull())
    .addColumn('result_digest', 'text')
    .addColumn('is_checked', 'integer')
    .addColumn('reason', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addUniqueConstraint('network_tasks_name', ['job_id', 'name'])
    .execute();
  await db.schema
    .createIndex('network_tasks_queue')
    .on('network_tasks')
    .columns(['state', 'place_after'])
    .execute();
  await db.schema
    .createTable('network_dead_letters')
    .addColumn('task_id', 'text', (c) => c.notNull().references('network_tasks.task_id'))
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('job_id', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('retried_at', 'bigint')
    .addPrimaryKeyConstraint('network_dead_letters_pk', ['task_id', 'generation'])
    .execute();
}

async function replicas(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('network_placements')
    .addColumn('task_id', 'text', (c) => c.notNull().references('network_tasks.task_id'))
    .addColumn('decision_id', 'text', (c) => c.notNull())
    .addColumn('decision', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('network_placements_pk', ['task_id', 'decision_id'])
    .execute();
  await db.schema
    .createTable('network_replicas')
    .addColumn('attempt_id', 'text', (c) => c.primaryKey())
    .addColumn('task_id', 'text', (c) => c.notNull().references('network_tasks.task_id'))
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('fencing_token', 'integer', (c) => c.notNull())
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('lease_ends_at', 'bigint', (c) => c.notNull())
    .addColumn('commit_digest', 'text')
    .addColumn('commit_sequence', 'integer')
    .addColumn('reveal_sequence', 'integer')
    .addColumn('digest', 'text')
    .addColumn('end_reason', 'text')
    .addColumn('verdict', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addUniqueConstraint('network_replicas_fencing', ['task_id', 'fencing_token'])
    .execute();
  // One operator has one attempt of a task that is at work or has answered.
  await sql`CREATE UNIQUE INDEX network_replicas_operator
    ON network_replicas (task_id, generation, operator)
    WHERE state IN ('OFFERED', 'RUNNING', 'COMMITTED', 'REVEALED')`.execute(db);
  await db.schema
    .createIndex('network_replicas_node')
    .on('network_replicas')
    .columns(['node_id', 'state'])
    .execute();
  await db.schema
    .createIndex('network_replicas_lease')
    .on('network_replicas')
    .columns(['state', 'lease_ends_at'])
    .execute();
}

async function statements(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('network_chain')
    .addColumn('sequence', 'integer', (c) => c.primaryKey())
    .addColumn('entry_id', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('attempt_id', 'text', (c) => c.notNull().references('network_replicas.attempt_id'))
    .addColumn('entry', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('network_chain_once', ['attempt_id', 'kind'])
    .execute();
  await db.schema
    .createTable('network_statements')
    .addColumn('attempt_id', 'text', (c) => c.notNull().references('network_replicas.attempt_id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('statement_id', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('network_statements_pk', ['attempt_id', 'kind'])
    .execute();
}
