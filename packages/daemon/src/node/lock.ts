/** One daemon for each data folder. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';
import { processStart } from '../restate/stale-process.ts';

interface Holder {
  readonly pid: number;
  readonly start: string | null;
}

export interface Lock {
  /** True when the last holder ended without releasing it. */
  readonly wasHeld: boolean;
  release(): Promise<void>;
}

/** Throws DATA_IN_USE while another live process holds the folder. */
export async function lockDataFolder(lockFile: string): Promise<Lock> {
  const mine: Holder = { pid: process.pid, start: await processStart(process.pid) };
  const holder = await readHolder(lockFile);
  if (holder !== null && holder.start !== null) {
    const alive = (await processStart(holder.pid)) === holder.start;
    if (alive) {
      throw new AppError('DATA_IN_USE', `process ${holder.pid} runs on this data folder already`, {
        hint: 'Use that daemon, stop it first, or give another folder with --data.',
      });
    }
  }
  const aside = `${lockFile}.${process.pid}`;
  await writeFile(aside, JSON.stringify(mine), { mode: 0o600 });
  await rename(aside, lockFile);
  return { wasHeld: holder !== null, release: () => rm(lockFile, { force: true }) };
}

async function readHolder(lockFile: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(lockFile, 'utf8'));
  } catch {
    // Absent, or cut off by a crash: nobody holds it.
    return null;
  }
}
