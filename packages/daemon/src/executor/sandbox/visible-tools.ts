/**
 * Which files a tool needs of its own installation. Those of the system are visible anyway; one that
 * stands elsewhere (conda, /opt) brings the folder it is installed in, unless that is a place where
 * other things are kept too.
 */
import { existsSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';

export interface VisibleTool {
  /** The tool's argument vector as the sandbox can start it. */
  readonly argv: readonly string[];
  /** Real paths, none of them of the system. */
  readonly readable: readonly string[];
}

/** Where programs of many kinds and people's files are: never made visible as a whole. */
const SHARED_FOLDERS = new Set(
  [
    '/',
    '/etc',
    '/home',
    '/media',
    '/mnt',
    '/opt',
    '/root',
    '/run',
    '/srv',
    '/var',
    '/var/tmp',
  ].concat(['/tmp', tmpdir()]),
);
const PROGRAM_FOLDERS = new Set(['bin', 'sbin']);
/** Beside `bin`, what programs load. */
const LIBRARY_FOLDERS = ['lib', 'lib64', 'libexec'];

/** `priv` are real paths of folders that must not become visible. */
export function visibleTool(argv: readonly string[], hidden: readonly string[]): VisibleTool {
  const [executable = '', ...args] = argv;
  const real = realOf(executable);
  // It has gone; the shell inside says so as outside.
  if (real === null) return { argv, readable: [] };
  // Links on the way would not be there; a program that goes by its name keeps it.
  const isNamed = basename(real) === basename(executable);
  const started = isNamed ? real : executable;
  const files = args.flatMap((arg) => (isAbsolute(arg) ? (realOf(arg) ?? []) : []));
  const readable = [
    ...installationOf(real, hidden),
    ...(isNamed ? [] : [executable]),
    ...files,
  ].filter((path) => !isOfSystem(path));
  return { argv: [started, ...args], readable };
}

function installationOf(executable: string, hidden: readonly string[]): string[] {
  if (isOfSystem(executable)) return [];
  const isShared = (path: string) =>
    SHARED_FOLDERS.has(path) || [homedir(), ...hidden].some((folder) => holds(path, folder));
  const folder = dirname(executable);
  if (!PROGRAM_FOLDERS.has(basename(folder))) return [isShared(folder) ? executable : folder];
  const prefix = dirname(folder);
  if (!isShared(prefix)) return [prefix];
  const libraries = LIBRARY_FOLDERS.map((name) => join(prefix, name));
  return [folder, ...libraries].filter((path) => existsSync(path) && !isShared(path));
}

/** True when `path` is `folder` or below it. */
export function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function isOfSystem(path: string): boolean {
  return holds('/usr', path) || holds('/nix/store', path) || holds('/gnu/store', path);
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // Not a file; an argument that only looks like one.
  }
}
