/** Opens the node's database and brings it to the newest schema. */
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './schema.ts';

export type Database = Kysely<Tables>;

/** `path` is a file, or `:memory:`. Throws when a migration fails; nothing is half migrated. */
export async function openDatabase(path: string): Promise<Database> {
  const database = new Kysely<Tables>({ dialect: nodeSqliteDialect(path) });
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await database.destroy();
    throw error;
  }
  return database;
}

/** Does `action` in one SQL transaction: in the one that `database` is already, or in a new one. */
export async function atomically<T>(
  database: Database,
  action: (trx: Database) => Promise<T>,
): Promise<T> {
  return database.isTransaction ? action(database) : database.transaction().execute(action);
}
