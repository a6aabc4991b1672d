/**
 * The SQLite file of a custodian, shared by the daemon and the commands of one person.
 *
 * Invariants
 * B1  A change is durable when its call returns (WAL, synchronous = FULL).
 * B2  What is read and then written in one `atomically` has not changed in between, whichever
 *     process writes: it holds the write lock from its beginning.
 * B3  What is deleted is overwritten with zeros in the file (secure_delete), and leaves the journal
 *     with `eraseJournal`.
 *
 * What it cannot do: erase what a file system or a disk keeps of blocks that were given back.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { AppError } from '@helixmesh/protocol';
import { BUSY_TIMEOUT_MS } from './limits.ts';
import { MIGRATIONS } from './migrations.ts';

export interface CustodyDatabase {
  /** The first row; undefined when there is none. */
  get<Row>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...values: readonly SQLInputValue[]): Row[];
  /** How many rows have changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number;
  /** Does all of `action` or nothing of it; within another one, with that one. */
  atomically<T>(action: () => T): T;
  /** Empties the journal of what was deleted. False while another process reads it. */
  eraseJournal(): boolean;
  /** May be called again. */
  close(): void;
}

const FILE_MODE = 0o600;

/** Opens or makes the store and brings it to the newest schema. Throws DATA_IN_USE, DISK_FULL, … */
export function openCustodyDatabase(path: string): CustodyDatabase {
  return guarded(() => {
    // Before SQLite does, which would let the umask decide who may read it.
    closeSync(openSync(path, 'a', FILE_MODE));
    syncFolder(dirname(path));
    const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      return prepared(sqlite);
    } catch (error) {
      sqlite.close();
      throw error;
    }
  });
}

function prepared(sqlite: DatabaseSync): CustodyDatabase {
  const mode = sqlite.prepare('PRAGMA journal_mode').get() as { journal_mode: string };
  if (mode.journal_mode !== 'wal') sqlite.exec('PRAGMA journal_mode = WAL');
  sqlite.exec(
    'PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF',
  );
  const database = databaseOf(sqlite);
  migrate(sqlite, database);
  return database;
}

function databaseOf(sqlite: DatabaseSync): CustodyDatabase {
  return {
    get: <Row>(sql: string, ...values: readonly SQLInputValue[]) =>
      guarded(() => sqlite.prepare(sql).get(...values) as Row | undefined),
    all: <Row>(sql: string, ...values: readonly SQLInputValue[]) =>
      guarded(() => sqlite.prepare(sql).all(...values) as Row[]),
    run: (sql, ...values) => guarded(() => Number(sqlite.prepare(sql).run(...values).changes)),
    atomically<T>(action: () => T): T {
      if (sqlite.isTransaction) return action();
      guarded(() => sqlite.exec('BEGIN IMMEDIATE'));
      try {
        const result = action();
        guarded(() => sqlite.exec('COMMIT'));
        return result;
      } catch (error) {
        // Some failures, a full disk for one, have ended the transaction already.
        if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
        throw error;
      }
    },
    eraseJournal() {
      const [row] = guarded(() => sqlite.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all());
      return (row as { busy: number } | undefined)?.busy === 0;
    },
    close() {
      if (sqlite.isOpen) sqlite.close();
    },
  };
}

/** A migration is done as a whole, and by one of the processes that open the store at once. */
function migrate(sqlite: DatabaseSync, database: CustodyDatabase): void {
  const stated = () => database.get<{ user_version: number }>('PRAGMA user_version')?.user_version;
  if (stated() === MIGRATIONS.length) return;
  database.atomically(() => {
    const version = stated() ?? 0;
    if (version > MIGRATIONS.length) {
      throw new AppError('CONFIG_INVALID', `the custodian's store has version ${version}`, {
        hint: `Use a newer Helixmesh: this one knows versions up to ${MIGRATIONS.length}.`,
      });
    }
    for (const migration of MIGRATIONS.slice(version)) guarded(() => sqlite.exec(migration));
    guarded(() => sqlite.exec(`PRAGMA user_version = ${MIGRATIONS.length}`));
  });
}

/** Makes the name of the store durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Result codes of SQLite (sqlite3.h): the low byte of what an error carries. */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): AppError {
  const { errcode } = error as { errcode?: number };
  const cause = { cause: error };
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return new AppError('DATA_IN_USE', "another process is writing to the custodian's store", {
        hint: 'Run the command again in a moment.',
        ...cause,
      });
    case SQLITE.full:
      return new AppError('DISK_FULL', "there is no space for the custodian's store", {
        hint: 'Free disk space and run the command again: nothing was written.',
        ...cause,
      });
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return new AppError('OUTPUT_UNWRITABLE', "the custodian's store cannot be written", {
        hint: 'Give its folder to your account, or name another one with --data.',
        ...cause,
      });
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new AppError('INPUT_MALFORMED', "the custodian's store is damaged", {
        hint: 'Move the folder custody away and restore it with `biofs keys restore`.',
        ...cause,
      });
    default:
      return AppError.from(error);
  }
}
