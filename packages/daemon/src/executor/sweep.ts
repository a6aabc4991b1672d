/** Clears away what the attempts of a dead daemon left. Call it before any attempt runs. */

import { execFile } from 'node:child_process';
import { readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { killRecorded } from './leftover-process.ts';
import { sweepGroups } from './sandbox/cgroup.ts';

/** Kills leftover processes, deletes the folders; answers how many folders there were. */
export async function sweepScratch(scratchRoot: string): Promise<number> {
  let root: string;
  try {
    root = await realpath(scratchRoot);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('att_'));
  for (const { name } of folders) {
    const folder = join(root, name);
    await killRecorded(folder);
    await sweepGroups(folder);
    await removeFolder(folder);
  }
  return folders.length;
}

/** Deletes a scratch folder; a process that is just dying may still add a file meanwhile. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  } catch {
    // A tool may leave folders that nobody may enter, or nest them deeper than a path can be.
    await run('chmod', ['-R', 'u+rwx', '--', folder]).catch(() => {});
    await run('rm', ['-rf', '--', folder]);
  }
}

const run = promisify(execFile);
