/** Records of the processes that an attempt started, for the daemon that sweeps them one day. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isThisBoot,
  type ProcessRecord,
  readProcessRecord,
  writeProcessRecord,
} from '../supervision/process-record.ts';
import { type ProcessStat, readStat } from '../supervision/process-stat.ts';

/** `process-<pid>.json`, one for each command that runs. */
const RECORD_NAME = /^process-\d+\.json$/;

/** Writes the record into an attempt's folder. */
export async function recordProcess(folder: string, pid: number): Promise<void> {
  await writeProcessRecord(join(folder, `process-${pid}.json`), pid);
}

/** Kills what is left of the recorded process groups and of nobody else. */
export async function killRecorded(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => RECORD_NAME.test(name));
  for (const name of names) await killGroup(folder, await readProcessRecord(join(folder, name)));
}

async function killGroup(folder: string, record: ProcessRecord | null): Promise<void> {
  if (record === null || !(await isThisBoot(record))) return;
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
