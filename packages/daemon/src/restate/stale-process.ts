/** Ending a process that a killed daemon left behind, never one that merely has its number. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVER_POLL_MS } from './limits.ts';

/** Start time in clock ticks since boot (proc(5), field 22): tells a recycled pid apart. */
export async function processStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    // No such process.
    return null;
  }
}

/** Kills the process that `pidFile` ({pid, start}) names, if it is still the same one. */
export async function killIfStill(pidFile: string): Promise<void> {
  const recorded = await readPidFile(pidFile);
  if (recorded === null) return;
  const { pid, start } = recorded;
  if (start === null || (await processStart(pid)) !== start) return;
  process.kill(pid, 'SIGKILL');
  while ((await processStart(pid)) === start && (await isAlive(pid))) await delay(SERVER_POLL_MS);
}

async function readPidFile(path: string): Promise<{ pid: number; start: string | null } | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Absent or cut off in the middle of its first write: nothing that we could end.
    return null;
  }
}

/** False for a zombie that only waits for its parent to read its status. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}
