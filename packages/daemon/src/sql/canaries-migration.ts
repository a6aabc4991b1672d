/** Migration `0005-canaries`. */
import type { Kysely } from 'kysely';

export async function canaries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('canaries')
    .addColumn('node_id', 'text', (c) => c.primaryKey())
    .addColumn('canary_id', 'text', (c) => c.notNull().unique())
    .addColumn('genome', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('answer', 'text')
    .addColumn('judged_at', 'bigint')
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('not_before', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text')
    .execute();
}
