/** Ending a process that a killed daemon left behind, never one that merely has its number. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { readStat } from '../supervision/process-stat.ts';
import { SERVER_POLL_MS } from './limits.ts';

/** Start time in clock ticks since boot (proc(5), field 22): tells a recycled pid apart. */
export async function processStart(pid: number): Promise<string | null> {
  return (await readStat(pid))?.startTicks ?? null;
}

/** Kills the process that `pidFile` ({pid, start}) names, if it is still the same one. */
export async function killIfStill(pidFile: string): Promise<void> {
  const recorded = await readPidFile(pidFile);
  if (recorded === null) return;
  const { pid, start } = recorded;
  if (start === null || (await processStart(pid)) !== start) return;
  process.kill(pid, 'SIGKILL');
  for (;;) {
    const stat = await readStat(pid);
    if (stat?.startTicks !== start || stat.state === 'Z') return;
    await delay(SERVER_POLL_MS);
  }
}

async function readPidFile(path: string): Promise<{ pid: number; start: string | null } | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Absent or cut off in the middle of its first write: nothing that we could end.
    return null;
  }
}
