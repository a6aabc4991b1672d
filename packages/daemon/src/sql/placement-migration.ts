/** Migration `0004-placement`: decisions take the place of `network_placements`, which nobody read. */
import type { Kysely } from 'kysely';

export async function placement(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('network_evidence')
    .addColumn('job_id', 'text', (c) => c.notNull().references('network_jobs.job_id'))
    .addColumn('dataset', 'text', (c) => c.notNull())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('custodian', 'text', (c) => c.notNull())
    .addColumn('manifest', 'text', (c) => c.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('grant_document', 'text')
    .addPrimaryKeyConstraint('network_evidence_pk', ['job_id', 'dataset'])
    .execute();
  await db.schema
    .createIndex('network_evidence_dataset')
    .on('network_evidence')
    .column('dataset')
    .execute();
  await db.schema
    .createTable('network_heads')
    .addColumn('owner', 'text', (c) => c.primaryKey())
    .addColumn('record', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('network_reputations')
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('tool_set', 'text', (c) => c.notNull())
    .addColumn('consecutive_valid', 'integer', (c) => c.notNull())
    .addColumn('invalid', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('network_reputations_pk', ['node_id', 'tool_set'])
    .execute();
  await db.schema.dropTable('network_placements').execute();
  await db.schema
    .createTable('network_decisions')
    .addColumn('task_id', 'text', (c) => c.notNull().references('network_tasks.task_id'))
    .addColumn('placement_id', 'text', (c) => c.notNull())
    .addColumn('job_id', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('record', 'text', (c) => c.notNull())
    .addColumn('tool_set', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('network_decisions_pk', ['task_id', 'placement_id'])
    .execute();
  await db.schema
    .createIndex('network_decisions_job')
    .on('network_decisions')
    .columns(['job_id', 'at'])
    .execute();
}
