/** Migration `0006-handovers`. */
import type { Kysely } from 'kysely';

export async function handovers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('network_handovers')
    .addColumn('job_id', 'text', (c) => c.primaryKey().references('network_jobs.job_id'))
    .addColumn('custodian', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
}
