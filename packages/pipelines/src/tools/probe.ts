/**
 * Asks the machine which tools it has, where and in which version. All are asked in
 * parallel, for a Java program needs about a second to start, and again only when their files have
 * changed: a daemon sees what is installed or upgraded while it runs.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import {
  BUILTIN_VERSION,
  compareVersions,
  EXTERNAL_TOOL_NAMES,
  type ExternalToolName,
  installCommand,
  parseToolVersion,
  TOOL_CATALOGUE,
  type ToolName,
} from './catalogue.ts';

/** A tool that does not print its version within this time is broken. */
const PROBE_TIMEOUT_MS = 20_000;
const PROBE_OUTPUT_MAX_BYTES = 1 << 20;

/** `too_old`: below the catalogue's minimum. `broken`: it is there but told no version. */
export type ToolStatus = 'ok' | 'missing' | 'too_old' | 'broken';

export interface ToolReport {
  readonly name: ExternalToolName;
  readonly status: ToolStatus;
  readonly purpose: string;
  readonly version: string | null;
  readonly minimumVersion: string;
  /** What starts the tool: absolute path of the executable and fixed arguments. */
  readonly argv: readonly string[] | null;
  /** What is wrong, in words; null when nothing is. */
  readonly problem: string | null;
  /** The command that installs it. */
  readonly install: string;
}

/** How to start a tool, and which version that is. */
export interface ResolvedTool {
  readonly argv: readonly string[];
  readonly version: string;
}
export type ResolvedTools = Readonly<Partial<Record<ToolName, ResolvedTool>>>;

interface Known {
  readonly stamp: string;
  readonly report: Promise<ToolReport>;
}
const known = new Map<ExternalToolName, Known>();

/** The report on one tool; asked again only once its files have changed. */
export async function probeTool(name: ExternalToolName): Promise<ToolReport> {
  const found = await locate(name, process.env);
  const stamp = await stampOf(found);
  const before = known.get(name);
  if (before?.stamp === stamp) return before.report;
  const report = ask(name, found, process.env);
  known.set(name, { stamp, report });
  return report;
}

/** The reports on all outside tools, in the order of the catalogue. */
export function probeTools(): Promise<ToolReport[]> {
  return Promise.all(EXTERNAL_TOOL_NAMES.map(probeTool));
}

/** What the executor needs of the usable tools, builtins included. */
export function resolvedTools(found: readonly ToolReport[]): ResolvedTools {
  const tools: Partial<Record<ToolName, ResolvedTool>> = {
    helixmesh: { argv: [], version: BUILTIN_VERSION },
  };
  for (const report of found) {
    if (report.status !== 'ok' || report.argv === null || report.version === null) continue;
    tools[report.name] = { argv: report.argv, version: report.version };
  }
  return tools;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Probes with the PATH and overrides of `env`, uncached. */
export async function probeToolIn(name: ExternalToolName, env: Environment): Promise<ToolReport> {
  return ask(name, await locate(name, env), env);
}

interface Located {
  /** Absolute path, or null when PATH has none. */
  readonly executable: string | null;
  /** The file that stands for `{jar}`; null when there is none or none is needed. */
  readonly file: string | null;
  /** What is missing, in words. */
  readonly problem: string | null;
}

async function locate(name: ExternalToolName, env: Environment): Promise<Located> {
  const entry = TOOL_CATALOGUE[name];
  const executable = await findExecutable(entry.executable, env['PATH'] ?? '');
  const override = entry.fileVariable === undefined ? undefined : env[entry.fileVariable];
  const files = override === undefined ? entry.files : [override];
  const file = await firstReadable(files);
  if (executable === null) {
    return { executable, file, problem: `${entry.executable} is not in PATH` };
  }
  const isLacking = files.length > 0 && file === null;
  const problem = isLacking ? `none of these files is there: ${files.join(', ')}` : null;
  return { executable, file, problem };
}

/** Differs once a package has been installed, removed or upgraded. */
async function stampOf({ executable, file }: Located): Promise<string> {
  const paths = [executable, file].filter((path) => path !== null);
  const stats = await Promise.all(paths.map((path) => stat(path).catch(() => null)));
  return stats.map((s, i) => `${paths[i]} ${s?.ino} ${s?.size} ${s?.mtimeMs}`).join('\n');
}

async function ask(
  name: ExternalToolName,
  { executable, file, problem }: Located,
  env: Environment,
): Promise<ToolReport> {
  const entry = TOOL_CATALOGUE[name];
  const { purpose, minimumVersion } = entry;
  const base = { name, purpose, minimumVersion, install: installCommand([name]) };
  if (executable === null || problem !== null) {
    return { ...base, status: 'missing', version: null, argv: null, problem };
  }
  const argv = [executable, ...entry.prefix.map((part) => part.replace('{jar}', file ?? ''))];
  const version = parseToolVersion(name, await probeOutput([...argv, ...entry.versionArgs], env));
  if (version === null) {
    return { ...base, status: 'broken', version, argv, problem: 'it printed no version' };
  }
  if (compareVersions(version, minimumVersion) < 0) {
    const tooOld = `version ${version} is older than ${minimumVersion}`;
    return { ...base, status: 'too_old', version, argv, problem: tooOld };
  }
  return { ...base, status: 'ok', version, argv, problem: null };
}

export interface SandboxReport {
  /** True when bubblewrap can make a sandbox here. */
  readonly available: boolean;
  /** Absolute path of bubblewrap when it is installed. */
  readonly path: string | null;
  /** Why there is no sandbox, in words; null when there is one. */
  readonly problem: string | null;
  readonly install: string;
}

let sandbox: Promise<SandboxReport> | undefined;

/** Whether bubblewrap works here (user namespaces may be forbidden); cached per process. */
export function probeSandbox(): Promise<SandboxReport> {
  sandbox ??= askSandbox();
  return sandbox;
}

async function askSandbox(): Promise<SandboxReport> {
  const install = 'sudo apt-get install -y bubblewrap';
  const path = await findExecutable('bwrap', process.env['PATH'] ?? '');
  if (path === null) return { available: false, path, problem: 'bwrap is not in PATH', install };
  const options = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/'];
  const mounts = ['--dev', '/dev', '--proc', '/proc'];
  const marker = 'sandbox-works';
  const argv = [path, ...options, ...mounts, '/bin/sh', '-c', `echo ${marker}`];
  const output = await probeOutput(argv, process.env);
  if (output.trim() === marker) return { available: true, path, problem: null, install };
  const problem = `bwrap failed: ${output.trim().slice(0, 500)}`;
  return { available: false, path, problem, install };
}

/** Both streams together, whatever the exit status: bwa exits 1 after printing its version. */
function probeOutput(argv: readonly string[], env: Environment): Promise<string> {
  const [file = '', ...args] = argv;
  const options = {
    timeout: PROBE_TIMEOUT_MS,
    maxBuffer: PROBE_OUTPUT_MAX_BYTES,
    killSignal: 'SIGKILL',
    env: { PATH: env['PATH'], LC_ALL: 'C', HOME: env['HOME'] },
  } as const;
  return new Promise((resolve) => {
    execFile(file, args, options, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`));
  });
}

async function findExecutable(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter)) {
    // An empty or relative entry of PATH would make the answer depend on the working folder.
    if (!isAbsolute(folder)) continue;
    const file = join(folder, name);
    if (await isAccessible(file, constants.X_OK)) return file;
  }
  return null;
}

async function firstReadable(files: readonly string[]): Promise<string | null> {
  for (const file of files) if (await isAccessible(file, constants.R_OK)) return file;
  return null;
}

async function isAccessible(file: string, mode: number): Promise<boolean> {
  try {
    await access(file, mode);
    return true;
  } catch {
    return false; // Absent and forbidden are the same to us: not usable.
  }
}
