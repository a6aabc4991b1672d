/** What /proc says of a process. Null without one, or without /proc. */
import { readFile } from 'node:fs/promises';

export interface ProcessStat {
  readonly pid: number;
  /** One letter; `Z` only waits for its parent to read its status. */
  readonly state: string;
  readonly group: number;
  /** Clock ticks since boot: with the pid, one process of this boot. */
  readonly startTicks: string;
}

/** proc(5): fields after the last parenthesis are state, ppid, pgrp, …; starttime is field 22. */
export async function readStat(pid: number): Promise<ProcessStat | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', , group] = fields;
    return { pid, state, group: Number(group), startTicks: fields[19] ?? '' };
  } catch {
    return null; // No such process, or no /proc.
  }
}
