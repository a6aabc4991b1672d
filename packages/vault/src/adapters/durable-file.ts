/**
 * Files that are there as a whole or not at all: written aside, made durable, renamed, and the
 * folder made durable. All of a vault is for its operator's account alone (0600, 0700).
 */
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '@helixmesh/protocol';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export interface DurableFile {
  /** Where it will be; its folder exists. */
  readonly path: string;
  /** Where it is written first, on the same file system; nothing of that name is there. */
  readonly aside: string;
  readonly bytes: Uint8Array;
  /** Time of change that the file gets, ms since 1970. */
  readonly atMs: number;
  /** False for what may be lost with the power; default: true. */
  readonly isSynced?: boolean;
}

/** Writes a file in the place of whatever is there. Throws DISK_FULL, OUTPUT_UNWRITABLE. */
export async function writeDurably(written: DurableFile): Promise<void> {
  const { path, aside, bytes, atMs, isSynced = true } = written;
  try {
    const file = await open(aside, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.utimes(atMs / 1000, atMs / 1000);
      if (isSynced) await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    if (isSynced) await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true });
    throw AppError.from(error);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The bytes of a file; undefined when there is none, or something else of that name. What is longer
 * than `maxBytes` comes back as `maxBytes + 1` bytes of it.
 */
export async function readWhole(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    // Not through a link, and not waiting for the writer of a pipe.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) return undefined;
      const bytes = new Uint8Array(Math.min(facts.size, maxBytes + 1));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw AppError.from(error);
  }
}

/** Makes a folder, and its name durable, unless it is there. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) await chmod(folder, FOLDER_MODE);
    else await syncFolder(dirname(first));
  } catch (error) {
    throw AppError.from(error);
  }
}

/** Deletes what a process that died was writing. */
export async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Whether a name is not there, or is a link where only files and folders of ours belong. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}
