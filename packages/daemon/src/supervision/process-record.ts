/**
 * Which process it was, in a form that a later daemon can trust: a pid alone may belong to somebody
 * else by then, but no two processes of one boot share pid and start time, and no two boots an id.
 *
 * Without /proc (macOS) a record holds the pid alone and is never taken for a live process.
 */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { readStat } from './process-stat.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks from the boot to the start of the process. */
  readonly startTicks: string | null;
  readonly bootId: string | null;
}

export async function describeProcess(pid: number): Promise<ProcessRecord> {
  const [stat, bootId] = await Promise.all([readStat(pid), readBootId()]);
  return { pid, startTicks: stat?.startTicks ?? null, bootId };
}

/** Writes the record of a process whole or not at all; only its owner may read it. */
export async function writeProcessRecord(path: string, pid: number): Promise<void> {
  const record = await describeProcess(pid);
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, JSON.stringify(record), { mode: 0o600 });
  await rename(aside, path);
}

/** Null when the file is absent or holds no record. */
export async function readProcessRecord(path: string): Promise<ProcessRecord | null> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8'));
    return isRecord(record) ? record : null;
  } catch {
    return null; // Nothing was recorded, or a machine died while its disk took the record.
  }
}

/**
 * True while anything of the recorded process lives; false for a zombie, and when its pid is
 * another's now.
 */
export async function isAlive(record: ProcessRecord): Promise<boolean> {
  if (!(await isThisBoot(record))) return false;
  const stat = await readStat(record.pid);
  if (stat === null || stat.startTicks !== record.startTicks) return false;
  return stat.state !== 'Z' || (await hasThreads(record.pid));
}

/**
 * A killed process is a zombie as soon as its first thread has ended. The others may hold its files
 * and their locks for a while yet.
 */
async function hasThreads(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return threads.length > 1;
}

/** False too where the boot cannot be told. */
export async function isThisBoot({ bootId }: ProcessRecord): Promise<boolean> {
  return bootId !== null && bootId === (await readBootId());
}

function isRecord(value: unknown): value is ProcessRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTicks, bootId } = value as Partial<Record<keyof ProcessRecord, unknown>>;
  // A signal to 0 or below reaches far more than one process; a container's daemon may be 1.
  const isPid = Number.isInteger(pid) && (pid as number) >= 1;
  return isPid && [startTicks, bootId].every((text) => text === null || typeof text === 'string');
}

async function readBootId(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null; // Not Linux.
  }
}
