/**
 * One daemon for each data folder.
 *
 * The lock is SQLite's exclusive lock on an empty database: the kernel frees it however its holder
 * ends, and of two that start at once only one gets it. The record beside it says who holds it, and
 * that the last holder did not end in order.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@helixmesh/protocol';
import { readProcessRecord, writeProcessRecord } from '../supervision/process-record.ts';

export interface Lock {
  /** True when the last holder ended without releasing it. */
  readonly wasHeld: boolean;
  release(): Promise<void>;
}

/** Of SQLite: another connection holds the lock. */
const BUSY = 5;

/** Throws DATA_IN_USE while another live process holds the folder. */
export async function lockDataFolder(lockFile: string): Promise<Lock> {
  const recordFile = `${lockFile}.holder`;
  const database = new DatabaseSync(lockFile);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: number }).errcode !== BUSY) throw AppError.from(cause);
    const holder = await readProcessRecord(recordFile);
    const who = holder === null ? 'another process' : `process ${holder.pid}`;
    throw new AppError('DATA_IN_USE', `${who} runs on this data folder already`, {
      hint: 'Use that daemon, stop it first, or give another folder with --data.',
      cause,
    });
  }
  const wasHeld = existsSync(recordFile);
  await writeProcessRecord(recordFile, process.pid);
  return {
    wasHeld,
    release: async () => {
      await rm(recordFile, { force: true });
      database.close();
    },
  };
}
