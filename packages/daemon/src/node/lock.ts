/** One daemon for each data folder. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import { isAlive, readProcessRecord, writeProcessRecord } from '../supervision/process-record.ts';

export interface Lock {
  /** True when the last holder ended without releasing it. */
  readonly wasHeld: boolean;
  release(): Promise<void>;
}

/** Throws DATA_IN_USE while another live process holds the folder. */
export async function lockDataFolder(lockFile: string): Promise<Lock> {
  const wasHeld = existsSync(lockFile);
  const holder = await readProcessRecord(lockFile);
  if (holder !== null && (await isAlive(holder))) {
    throw new AppError('DATA_IN_USE', `process ${holder.pid} runs on this data folder already`, {
      hint: 'Use that daemon, stop it first, or give another folder with --data.',
    });
  }
  await writeProcessRecord(lockFile, process.pid);
  return { wasHeld, release: () => rm(lockFile, { force: true }) };
}
