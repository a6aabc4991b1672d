/**
 * Ends the node before its disk is full: the engine and the database would stall without a word,
 * and a job seem to run for ever. What is finished stays; the next start goes on.
 */
import { statfs } from 'node:fs/promises';
import { AppError } from '@helixmesh/protocol';

/** Room that the engine and the database need to note what tools that fail tell. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;
/** Between two looks; a disk that fills at 1 GB/s loses this much room meanwhile, and then some. */
const LOOK_MS = 200;

export interface DiskGuard {
  /** Rejects with DISK_FULL once too little room is left; never resolves. */
  readonly full: Promise<never>;
  stop(): void;
}

/** Throws DISK_FULL when too little room is left to start at all. */
export async function watchDisk(folder: string): Promise<DiskGuard> {
  if (await isFull(folder)) throw diskFull(folder);
  const { promise: full, reject } = Promise.withResolvers<never>();
  // Whoever awaits it sees it; nobody may be left when the node is being stopped.
  full.catch(() => undefined);
  const timer = setInterval(async () => {
    if (!(await isFull(folder))) return;
    clearInterval(timer);
    reject(diskFull(folder));
  }, LOOK_MS);
  return { full, stop: () => clearInterval(timer) };
}

async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < MIN_FREE_BYTES;
}

function diskFull(folder: string): AppError {
  return new AppError('DISK_FULL', `less than 16 MiB are free on the disk of ${folder}`, {
    hint: 'Free disk space and start again; every finished step is kept.',
  });
}
