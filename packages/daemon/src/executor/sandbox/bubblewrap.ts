/**
 * The command line of bubblewrap: what a tool sees of the machine.
 *
 * B1  A tool sees the system's programs and libraries, itself, its inputs and its scratch folder.
 *     The home folder, the data folder with everybody's results, `/etc` but for what programs need
 *     to start, `/var`, `/run`, `/sys` and other people's `/tmp` are not there at all.
 * B2  It writes in its scratch folder and in a small `/tmp`; everything else is read-only, `/proc`
 *     included: for root its settings would be a way out.
 * B3  No network, no capabilities, no processes but its own, no user namespaces where bubblewrap
 *     can forbid them.
 * B4  System calls that a tool has no use for are refused (`seccomp.ts`), where the kernel filters.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { SANDBOX_TMP_BYTES } from '../limits.ts';
import { seccompProgram } from './seccomp.ts';
import { holds } from './visible-tools.ts';

export interface SandboxView {
  readonly work: string;
  readonly tmp: string;
  /** Real paths of files and folders that are bound where they are: the script, inputs, tools. */
  readonly readable: readonly string[];
  /** Real paths of folders that stay hidden even below something that is visible. */
  readonly hidden: readonly string[];
  /** Where it finds its filter of system calls; null for none. */
  readonly filterFd: number | null;
}

/** What comes before `-- COMMAND`. `bubblewrap` is its absolute path. */
export function bubblewrapArguments(bubblewrap: string, view: SandboxView): string[] {
  const { work, tmp, readable, hidden, filterFd } = view;
  const masked = hidden.filter((folder) => SYSTEM_FOLDERS.some((top) => holds(top, folder)));
  return [
    bubblewrap,
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...featuresOf(bubblewrap),
    ...(filterFd === null ? [] : ['--seccomp', String(filterFd)]),
    ...systemArguments(),
    ...['--dev', '/dev', '--proc', '/proc'],
    ...['--size', String(SANDBOX_TMP_BYTES), '--perms', '1777', '--tmpfs', '/tmp'],
    ...masked.flatMap((folder) => ['--tmpfs', folder]),
    ...[...new Set(readable)].flatMap((path) => ['--ro-bind', path, path]),
    ...['--bind', work, work, '--bind', tmp, tmp, '--chdir', work],
    ...['/proc', '/dev', ...masked, '/'].flatMap((path) => ['--remount-ro', path]),
    '--',
  ];
}

/** Programs and libraries; on a merged system most are links into the first. */
export const SYSTEM_FOLDERS: readonly string[] = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'],
  ...['/nix/store', '/gnu/store'],
];

/**
 * Of `/etc`: the loader's cache, Debian's links from names to programs and libraries (java, blas),
 * and where Java is told its settings.
 */
const ETC = /^(ld\.so\.cache|alternatives|java(-.*)?|crypto-policies)$/;

let system: readonly string[] | undefined;

/** Looked up once: these folders do not come and go while a daemon runs. */
function systemArguments(): readonly string[] {
  system ??= [
    ...SYSTEM_FOLDERS.filter((path) => existsSync(path)).flatMap((path) =>
      lstatSync(path).isSymbolicLink()
        ? ['--symlink', readlinkSync(path), path]
        : ['--ro-bind', path, path],
    ),
    ...readdirSync('/etc')
      .filter((name) => ETC.test(name))
      .flatMap((name) => ['--ro-bind', `/etc/${name}`, `/etc/${name}`]),
  ];
  return system;
}

const features = new Map<string, readonly string[]>();

/** bubblewrap 0.8 can forbid further user namespaces, which widen what the kernel offers. */
function featuresOf(bubblewrap: string): readonly string[] {
  const before = features.get(bubblewrap);
  if (before !== undefined) return before;
  const wanted = ['--unshare-user', '--disable-userns'];
  // Not there in an older bubblewrap, or where a kernel lets nobody limit them.
  const found = startsWith(bubblewrap, wanted) ? wanted : [];
  features.set(bubblewrap, found);
  return found;
}

const filters = new Map<string, Uint8Array | null>();

/** The filter of system calls; null where bubblewrap or the kernel takes none. Asked for once. */
export function filterFor(bubblewrap: string): Uint8Array | null {
  const before = filters.get(bubblewrap);
  if (before !== undefined) return before;
  const program = seccompProgram(process.arch);
  const isTaken = program !== null && startsWith(bubblewrap, ['--seccomp', '0'], program);
  const found = isTaken ? program : null;
  filters.set(bubblewrap, found);
  return found;
}

/** Whether a program starts with these options; `input` is what it finds on descriptor 0. */
function startsWith(bubblewrap: string, options: readonly string[], input?: Uint8Array): boolean {
  const mounts = ['--unshare-all', ...systemArguments(), '--proc', '/proc', '--dev', '/dev'];
  const stdio = [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'] as const;
  const given = input === undefined ? {} : { input };
  const args = [...mounts, ...options, '--', '/bin/true'];
  return spawnSync(bubblewrap, args, { stdio: [...stdio], ...given }).status === 0;
}
