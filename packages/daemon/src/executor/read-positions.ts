/**
 * How far the processes of a command have read some files, by what Linux tells of their open files
 * in /proc (proc_pid_fd(5), proc_pid_fdinfo(5)). Where there is no /proc, or the processes are not
 * ours to look at, it finds nothing.
 *
 * Files are known by device and inode: in a sandbox their paths are others than here.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import type { FileReading } from './fraction.ts';
import { OPEN_FILES_MAX, PROCESSES_MAX } from './limits.ts';

/** Lowest two bits of the flags; 0 is O_RDONLY. */
const ACCESS_MODE = 0o3;

/**
 * Each regular file of `paths` (absolute; links are followed), and how far the farthest reader is
 * among the process `pid` and those below it. Never throws.
 */
export async function readPositions(
  pid: number,
  paths: readonly string[],
): Promise<ReadonlyMap<string, FileReading>> {
  const wanted = new Map<string, string>();
  const found = new Map<string, FileReading>();
  for (const path of paths) {
    const file = await identityOf(path);
    if (file === null) continue;
    wanted.set(file.id, path);
    found.set(path, { position: 0, sizeBytes: file.sizeBytes });
  }
  if (found.size === 0) return found;
  for (const member of await processTree(pid)) {
    for (const fd of (await entries(`/proc/${member}/fd`)).slice(0, OPEN_FILES_MAX)) {
      const open = await identityOf(`/proc/${member}/fd/${fd}`);
      const path = open === null ? undefined : wanted.get(open.id);
      const file = path === undefined ? undefined : found.get(path);
      if (path === undefined || file === undefined) continue;
      const position = parsePosition(await textOf(`/proc/${member}/fdinfo/${fd}`)) ?? 0;
      found.set(path, { ...file, position: Math.max(file.position, position) });
    }
  }
  return found;
}

/** The offset in bytes that fdinfo tells; null of a file that is open for writing. */
export function parsePosition(fdinfo: string): number | null {
  const position = /^pos:\s*(\d+)$/m.exec(fdinfo)?.[1];
  const flags = /^flags:\s*([0-7]+)$/m.exec(fdinfo)?.[1];
  if (position === undefined || flags === undefined) return null;
  return (Number.parseInt(flags, 8) & ACCESS_MODE) === 0 ? Number(position) : null;
}

/** The process and all below it. Those that a tool's other threads have started are not found. */
async function processTree(root: number): Promise<readonly number[]> {
  const tree = [root];
  for (let i = 0; i < tree.length && tree.length < PROCESSES_MAX; i++) {
    const children = await textOf(`/proc/${tree[i]}/task/${tree[i]}/children`);
    tree.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return tree.slice(0, PROCESSES_MAX);
}

/** Null of what is no regular file, is gone, or may not be seen. Opens nothing. */
async function identityOf(path: string): Promise<{ id: string; sizeBytes: number } | null> {
  try {
    const file = await stat(path, { bigint: true });
    if (!file.isFile()) return null;
    return { id: `${file.dev}:${file.ino}`, sizeBytes: Number(file.size) };
  } catch {
    return null;
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return []; // The process has ended, or belongs to somebody else.
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return ''; // As above.
  }
}
