/**
 * Folders in which bundles are prepared. Each names its process; a folder whose process is gone is
 * removed by the next add.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A new folder `<pid>-<start>-<namespace>-<random>` under `root`. */
export async function makeTempFolder(root: string): Promise<string> {
  const random = randomBytes(6).toString('hex');
  const folder = join(root, `${process.pid}-${startOf(process.pid)}-${here()}-${random}`);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Removes the folders of processes that no longer run here; tells how many. */
export async function removeStaleFolders(root: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(root)) {
    const [pid, start, namespace] = name.split('-');
    // Another container's processes cannot be seen from here.
    if (namespace !== here()) continue;
    if (startOf(Number(pid)) === start) continue;
    await rm(join(root, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** Clock ticks from boot to the start of the process (proc(5), field 22), or a word without it. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field, the program's name, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  } catch {
    return isAlive(pid) ? 'noproc' : 'gone';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The process id namespace. */
function here(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
  } catch {
    return '0'; // No /proc: one namespace.
  }
}
