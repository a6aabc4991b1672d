/**
 * Finds where this process may make cgroups, and says what to do where it may not.
 *
 * On v2 a group that has processes cannot hand controllers to groups below it, so a daemon in a
 * delegated group first moves itself into a leaf of its own. It does so only when nobody else's
 * processes are in that group.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  CONTROLLERS,
  type Controller,
  GROUP_PREFIX,
  type GroupParents,
  type Hierarchy,
  parseHierarchies,
} from './cgroup-plan.ts';

export interface ParentsFound {
  /** Null where cgroups cannot be used. */
  readonly parents: GroupParents | null;
  /** Why not, in words. */
  readonly problem: string | null;
  /** The command that mends it, or what to do where none can. */
  readonly mend: string | null;
}

/** Where the daemon's own processes go on v2. */
const LEAF = `${GROUP_PREFIX}node`;

const MEND_SCOPE = 'systemd-run --user --scope -p Delegate=yes helixmesh up';
const MEND_DELEGATE =
  'sudo mkdir -p /etc/systemd/system/user@.service.d && ' +
  "printf '[Service]\\nDelegate=cpu memory pids\\n' | " +
  'sudo tee /etc/systemd/system/user@.service.d/delegate.conf && ' +
  'sudo systemctl daemon-reload, then log in again';
const MEND_V1 =
  'for c in cpu memory pids; do sudo install -d -o "$USER" /sys/fs/cgroup/$c/helixmesh; ' +
  'sudo chown -R "$USER" /sys/fs/cgroup/$c/helixmesh; done';
const MEND_CONTAINER = 'start the container with a writable /sys/fs/cgroup';

/** Mounted hierarchies; none where there is no Linux. */
export function hierarchies(): readonly Hierarchy[] {
  try {
    const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8');
    return parseHierarchies(read('mountinfo'), read('cgroup'));
  } catch {
    return []; // No /proc.
  }
}

/** Looks and changes nothing. */
export function findParents(found: readonly Hierarchy[] = hierarchies()): ParentsFound {
  const v1 = CONTROLLERS.map((name) => found.find(({ controllers }) => controllers.includes(name)));
  if (v1.every((hierarchy) => hierarchy !== undefined)) return findV1(v1);
  const v2 = found.find(({ version }) => version === 2);
  if (v2 !== undefined) return findV2(v2.own);
  return none('there are no cgroups here', 'run the node on Linux, or bring them into /sys/fs');
}

function findV1(of: readonly Hierarchy[]): ParentsFound {
  // The second is what an administrator gives to a user.
  const folders = of.map(({ own, mountPoint }) =>
    [own, join(mountPoint, 'helixmesh')].find(isWritable),
  );
  const lacking = CONTROLLERS.filter((_, i) => folders[i] === undefined);
  if (lacking.length > 0) {
    return none(`the cgroups of ${lacking.join(', ')} are not yours to write`, MEND_V1);
  }
  const byController = Object.fromEntries(CONTROLLERS.map((name, i) => [name, folders[i]]));
  const parents = { version: 1, folders: byController as Record<Controller, string> } as const;
  return { parents, problem: null, mend: null };
}

function findV2(own: string): ParentsFound {
  // A daemon that has moved into its leaf makes groups beside it.
  const folder = basename(own) === LEAF ? dirname(own) : own;
  const isRoot = process.getuid?.() === 0;
  if (!isWritable(folder)) {
    const mend = isRoot ? MEND_CONTAINER : MEND_SCOPE;
    return none('the cgroup of this process is not yours to write', mend);
  }
  const there = words(join(folder, 'cgroup.controllers'));
  const lacking = CONTROLLERS.filter((name) => !there.includes(name));
  if (lacking.length > 0) {
    const problem = `its cgroup lacks the controllers ${lacking.join(', ')}`;
    return none(problem, isRoot ? MEND_CONTAINER : MEND_DELEGATE);
  }
  if (!hasControllers(folder) && !isTop(folder) && strangers(folder).length > 0) {
    return none('other programs share the cgroup of this process', MEND_SCOPE);
  }
  return { parents: { version: 2, folder }, problem: null, mend: null };
}

/** Makes the found parents ready for groups; throws the error of the file system. */
export function prepareParents(parents: GroupParents): void {
  if (parents.version === 1 || hasControllers(parents.folder)) return;
  const { folder } = parents;
  if (!isTop(folder)) {
    const leaf = join(folder, LEAF);
    if (!existsSync(leaf)) mkdirSync(leaf);
    for (const pid of words(join(folder, 'cgroup.procs'))) {
      writeFileSync(join(leaf, 'cgroup.procs'), pid, { flag: 'r+' });
    }
  }
  const wanted = CONTROLLERS.map((name) => `+${name}`).join(' ');
  writeFileSync(join(folder, 'cgroup.subtree_control'), wanted, { flag: 'r+' });
}

function hasControllers(folder: string): boolean {
  const given = words(join(folder, 'cgroup.subtree_control'));
  return CONTROLLERS.every((name) => given.includes(name));
}

/** The top of the hierarchy may hold processes and hand on controllers; it has no type. */
function isTop(folder: string): boolean {
  return !existsSync(join(folder, 'cgroup.type'));
}

/** Processes of the group that are neither this one nor related to it. */
function strangers(folder: string): string[] {
  const pids = words(join(folder, 'cgroup.procs'));
  const parentOf = new Map(pids.map((pid) => [pid, parentPid(pid)]));
  const line = (pid: string): string[] => {
    const chain: string[] = [];
    for (let at: string | undefined = pid; at !== undefined; at = parentOf.get(at)) chain.push(at);
    return chain;
  };
  const mine = line(String(process.pid));
  return pids.filter((pid) => !mine.includes(pid) && !line(pid).includes(String(process.pid)));
}

function parentPid(pid: string): string | undefined {
  try {
    return /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function words(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return []; // Another version of the kernel, or the group is gone.
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function none(problem: string, mend: string): ParentsFound {
  return { parents: null, problem, mend };
}
