/**
 * The cgroup in which the tools of one attempt run: it limits memory, processes and processor time,
 * and it is what makes sure that nothing of a tool is left, whatever it does to hide.
 *
 * C1  A tool's first process is in the group before it becomes the tool (`joinCommand`).
 * C2  After `close` no process of the group is left and the group is gone.
 * C3  Where a group is made it is noted first in the attempt's folder, so that the next daemon
 *     finds what a dead one left (`sweepGroups`).
 *
 * The files are the kernel's, in memory: they are read and written without waiting.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GROUP_EMPTY_MS, GROUP_POLL_MS } from '../limits.ts';
import { findParents, hierarchies, type ParentsFound, prepareParents } from './cgroup-parents.ts';
import {
  GROUP_PREFIX,
  type GroupLimits,
  type GroupParents,
  type GroupPlan,
  isGroupFolder,
  planGroup,
} from './cgroup-plan.ts';

/** What the kernel has refused to the group. */
export interface GroupEvents {
  readonly oomKills: number;
  readonly forksRefused: number;
}

export interface Cgroup {
  /** The words before a command line that make its process join first; see C1. */
  readonly joinCommand: readonly string[];
  events(): GroupEvents;
  /** Ends all of the group and removes it; answers once it is gone, or after a while. */
  close(): Promise<void>;
}

/** `cgroup-<uuid>.json` in an attempt's folder: the folders of one group. */
const RECORD_NAME = /^cgroup-[0-9a-f-]+\.json$/;

/** `0` means the process that writes; a shell that cannot join must not go on. */
const JOIN_SCRIPT =
  'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"';

let probed: ParentsFound | undefined;

/** Whether cgroups work here; asked once for each process. A v1 group is made and removed. */
export function probeCgroups(): ParentsFound {
  probed ??= tryOut(findParents());
  return probed;
}

function tryOut(found: ParentsFound): ParentsFound {
  // On v2 a try would move processes; `helixmesh doctor` must not.
  if (found.parents?.version !== 1) return found;
  const plan = planGroup(found.parents, `${GROUP_PREFIX}probe-${randomUUID()}`, PROBE_LIMITS);
  try {
    make(plan);
    return found;
  } catch (error) {
    const problem = `a cgroup cannot be made: ${(error as Error).message}`;
    return { parents: null, problem, mend: 'see `dmesg` for the reason' };
  } finally {
    for (const folder of plan.folders) removeNow(folder);
  }
}

const PROBE_LIMITS: GroupLimits = { memoryBytes: 1 << 26, pids: 16, cores: 1 };

/** Null where cgroups do not work: the attempt then runs without. `root` is its folder. */
export function openCgroup(root: string, limits: GroupLimits): Cgroup | null {
  const { parents } = probeCgroups();
  return parents === null ? null : openCgroupIn(parents, root, limits);
}

/** As `openCgroup`, below given parents. */
export function openCgroupIn(
  parents: GroupParents,
  root: string,
  limits: GroupLimits,
): Cgroup | null {
  const id = randomUUID();
  const plan = planGroup(parents, `${GROUP_PREFIX}${basename(root)}-${id.slice(0, 8)}`, limits);
  try {
    writeFileSync(join(root, `cgroup-${id}.json`), JSON.stringify(plan.folders), { mode: 0o600 });
    prepareParents(parents);
    make(plan);
  } catch {
    // A group of the machine's that vanished or was locked since it was looked at.
    for (const folder of plan.folders) removeNow(folder);
    return null;
  }
  return {
    joinCommand: ['/bin/sh', '-c', JOIN_SCRIPT, 'sh', ...plan.joinFiles, '--'],
    events: () => ({
      oomKills: countIn(plan.memoryEvents, /^oom_kill (\d+)$/m),
      forksRefused: countIn(plan.pidsEvents, /^max (\d+)$/m),
    }),
    close: () => closeFolders(plan.folders),
  };
}

/** Ends and removes the groups that an attempt's folder notes. */
export async function sweepGroups(root: string): Promise<void> {
  const records = readdirSync(root).filter((name) => RECORD_NAME.test(name));
  // The daemon that died may have been in another group than this one.
  const roots = ['/sys/fs/cgroup', ...hierarchies().map(({ mountPoint }) => mountPoint)];
  for (const name of records) {
    const folders = readRecord(join(root, name));
    await closeFolders(folders.filter((folder) => isGroupFolder(folder, roots)));
  }
}

function readRecord(path: string): string[] {
  try {
    const folders: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(folders) ? folders.filter((folder) => typeof folder === 'string') : [];
  } catch {
    return []; // The machine died while its disk took the record; its groups died with it.
  }
}

function make({ folders, writes }: GroupPlan): void {
  for (const folder of folders) mkdirSync(folder);
  for (const { path, value, isOptional } of writes) {
    try {
      writeFileSync(path, value, { flag: 'r+' });
    } catch (error) {
      if (!isOptional) throw error;
    }
  }
}

async function closeFolders(folders: readonly string[]): Promise<void> {
  const endMs = performance.now() + GROUP_EMPTY_MS;
  for (let isFirst = true; ; isFirst = false) {
    const left = folders.filter((folder) => !removeNow(folder));
    if (left.length === 0 || performance.now() > endMs) return;
    for (const folder of left) killAll(folder, isFirst);
    await delay(GROUP_POLL_MS);
  }
}

/** No new process can appear in it any more, and those that are there get SIGKILL. */
function killAll(folder: string, isFirst: boolean): void {
  if (tryWrite(join(folder, 'cgroup.kill'), '1')) return;
  if (isFirst) tryWrite(join(folder, 'pids.max'), '0');
  for (const pid of listed(join(folder, 'cgroup.procs'))) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

function listed(path: string): number[] {
  try {
    // A process of another pid namespace is shown as 0, which would be this very group.
    const pids = readFileSync(path, 'utf8').split('\n').map(Number);
    return pids.filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid);
  } catch {
    return []; // The group is gone.
  }
}

/** True when the folder is gone; a group that has processes stays. */
function removeNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function tryWrite(path: string, value: string): boolean {
  try {
    // Without O_CREAT: what is not there is not offered by this kernel.
    writeFileSync(path, value, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

function countIn(path: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // The group is gone.
  }
}
