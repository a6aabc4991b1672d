/**
 * Which process an attempt started, in a form that a later daemon can trust: a pid alone may belong
 * to somebody else by then, but no two processes of one boot share pid and start time.
 */
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessStat, readStat } from '../supervision/process-stat.ts';

/** `process-<pid>.json`, one for each command that runs. */
const RECORD_NAME = /^process-\d+\.json$/;

interface ProcessRecord {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
}

/** Writes the record into an attempt's folder; does nothing without /proc. */
export async function recordProcess(folder: string, pid: number): Promise<void> {
  const stat = await readStat(pid);
  const bootId = await readBootId();
  if (stat === null || bootId === null) return;
  const record: ProcessRecord = { pid, startTicks: stat.startTicks, bootId };
  const path = join(folder, `process-${pid}.json`);
  await writeFile(path, JSON.stringify(record), { mode: 0o600 });
}

/** Kills what is left of the recorded process groups and of nobody else. */
export async function killRecorded(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => RECORD_NAME.test(name));
  for (const name of names) await killGroup(folder, await readRecord(join(folder, name)));
}

async function killGroup(folder: string, record: ProcessRecord | null): Promise<void> {
  if (record === null || record.bootId !== (await readBootId())) return;
  const leader = await readStat(record.pid);
  if (leader !== null && leader.startTicks !== record.startTicks) return; // Recycled.
  for (const { pid } of await groupMembers(record.pid)) {
    // With the leader gone, the working folder tells that a member is ours.
    if (leader === null && !(await isInside(pid, folder))) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile, or it is not ours to kill: nothing to do in either case.
    }
  }
}

async function groupMembers(group: number): Promise<ProcessStat[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readStat(Number(pid))));
  return stats.filter((stat) => stat !== null && stat.group === group) as ProcessStat[];
}

async function isInside(pid: number, folder: string): Promise<boolean> {
  try {
    return `${await readlink(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
  } catch {
    return false; // It ended meanwhile.
  }
}

async function readRecord(path: string): Promise<ProcessRecord | null> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8'));
    return Number.isInteger(record.pid) && record.pid > 1 ? record : null;
  } catch {
    return null; // No process was started, or the daemon died while writing.
  }
}

async function readBootId(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null; // Not Linux.
  }
}
