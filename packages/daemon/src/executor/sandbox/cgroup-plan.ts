/**
 * What a cgroup of one attempt is made of, as pure data: which folders, what is written into them,
 * how a process joins and where the kernel counts what it refused. The two versions of cgroups
 * (Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst) differ in nothing else here.
 */
import { dirname, join } from 'node:path';

export interface GroupLimits {
  /** Memory and swap together, page cache and tmpfs included. */
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly pids: number;
  readonly cores: number;
}

export interface GroupWrite {
  readonly path: string;
  readonly value: string;
  /** Not every kernel or parent allows it, and the group contains without it. */
  readonly isOptional: boolean;
}

export interface GroupPlan {
  readonly folders: readonly string[];
  readonly writes: readonly GroupWrite[];
  /** A process that writes `0` into each of them is in the group, with all its children. */
  readonly joinFiles: readonly string[];
  /** Has a line `oom_kill N`. */
  readonly memoryEvents: string;
  /** Has a line `max N`: forks refused. */
  readonly pidsEvents: string;
}

export const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Where groups are made: by controller on v1 (some may share a folder), one folder on v2. */
export type GroupParents =
  | { readonly version: 1; readonly folders: Readonly<Record<Controller, string>> }
  | { readonly version: 2; readonly folder: string };

/** Every group that is ours begins so; nothing else is ever killed or removed. */
export const GROUP_PREFIX = 'helixmesh-';

/** The default of both versions; with it a core is a quota of the same number. */
const CPU_PERIOD_US = 100_000;

export function planGroup(parents: GroupParents, name: string, limits: GroupLimits): GroupPlan {
  return parents.version === 1
    ? planV1(parents.folders, name, limits)
    : planV2(parents.folder, name, limits);
}

function planV1(
  parents: Readonly<Record<Controller, string>>,
  name: string,
  { memoryBytes, pids, cores }: GroupLimits,
): GroupPlan {
  const of = (controller: Controller, file: string) => join(parents[controller], name, file);
  const folders = [...new Set(CONTROLLERS.map((controller) => join(parents[controller], name)))];
  return {
    folders,
    writes: [
      must(of('memory', 'memory.limit_in_bytes'), memoryBytes),
      // Absent where the kernel does not count swap.
      may(of('memory', 'memory.memsw.limit_in_bytes'), memoryBytes),
      must(of('pids', 'pids.max'), pids),
      // Refused where the parent has less; then the parent's limit holds.
      may(of('cpu', 'cpu.cfs_quota_us'), cores * CPU_PERIOD_US),
    ],
    // `tasks` moves the one thread that writes; `cgroup.procs` would wait for every CPU first.
    joinFiles: folders.map((folder) => join(folder, 'tasks')),
    memoryEvents: of('memory', 'memory.oom_control'),
    pidsEvents: of('pids', 'pids.events'),
  };
}

function planV2(
  parent: string,
  name: string,
  { memoryBytes, pids, cores }: GroupLimits,
): GroupPlan {
  const folder = join(parent, name);
  return {
    folders: [folder],
    writes: [
      must(join(folder, 'memory.max'), memoryBytes),
      may(join(folder, 'memory.swap.max'), 0),
      // A tool without one of its processes is of no use.
      may(join(folder, 'memory.oom.group'), 1),
      must(join(folder, 'pids.max'), pids),
      may(join(folder, 'cpu.max'), `${cores * CPU_PERIOD_US} ${CPU_PERIOD_US}`),
    ],
    joinFiles: [join(folder, 'cgroup.procs')],
    memoryEvents: join(folder, 'memory.events'),
    pidsEvents: join(folder, 'pids.events'),
  };
}

function must(path: string, value: number | string): GroupWrite {
  return { path, value: String(value), isOptional: false };
}

function may(path: string, value: number | string): GroupWrite {
  return { path, value: String(value), isOptional: true };
}

/** A mounted hierarchy of cgroups and this process's own folder in it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of v1; v2 tells its controllers in a file. */
  readonly controllers: readonly string[];
  readonly own: string;
  readonly mountPoint: string;
}

/** Reads `/proc/self/mountinfo` and `/proc/self/cgroup` (proc(5), cgroups(7)). */
export function parseHierarchies(mountinfo: string, cgroup: string): Hierarchy[] {
  const paths = new Map<string, string>();
  for (const line of cgroup.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined) paths.set(controllers, path);
  }
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', mountPoint = '/'] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const own = (path: string) => join(mountPoint, below(root, path));
    if (type === 'cgroup2') {
      return [{ version: 2, controllers: [], own: own(paths.get('') ?? '/'), mountPoint }];
    }
    if (type !== 'cgroup') return [];
    const mounted = new Set(options.split(','));
    const found = [...paths].find(
      ([names]) => names !== '' && names.split(',').every((name) => mounted.has(name)),
    );
    if (found === undefined) return [];
    return [{ version: 1, controllers: found[0].split(','), own: own(found[1]), mountPoint }];
  });
}

/** In a container the mount shows a part of the hierarchy, and paths may be told from its top. */
function below(root: string, path: string): string {
  if (root === '/' || root.startsWith('/..')) return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : path;
}

/** Guards what a record of an earlier daemon names before anything in it is killed. */
export function isGroupFolder(path: string, hierarchyRoots: readonly string[]): boolean {
  const name = path.slice(dirname(path).length + 1);
  const isBelow = hierarchyRoots.some((root) => path.startsWith(`${root}/`));
  return isBelow && name.startsWith(GROUP_PREFIX) && !path.split('/').includes('..');
}
