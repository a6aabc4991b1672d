/**
 * Limits of an attempt that no kernel interface enforces for an ordinary user: what it has written
 * altogether, and that a tool which may fork no more is ended instead of trying for ever. It looks
 * once a second; between two looks the kernel's own limits hold (size of one file, processes).
 */
import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRATCH_ENTRIES_MAX, USAGE_LOOK_MS } from '../limits.ts';
import type { Cgroup } from './cgroup.ts';

/** `scratch`: too many bytes or files. `processes`: it was refused a process. */
export type Excess = 'scratch' | 'processes';

export interface UsageWatch {
  /** Aborted with `KILL_AT_ONCE` when a limit is passed. */
  readonly signal: AbortSignal;
  /** What was passed, or null. */
  excess(): Excess | null;
  stop(): void;
}

/** Reason of an abort after which a tool gets no time to tidy up: it would use more of it. */
export const KILL_AT_ONCE = 'kill at once';

export function watchUsage(
  folders: readonly string[],
  { scratchBytes, cgroup }: { readonly scratchBytes: number; readonly cgroup: Cgroup | null },
): UsageWatch {
  const controller = new AbortController();
  let excess: Excess | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    if ((cgroup?.events().forksRefused ?? 0) > 0) excess = 'processes';
    else if (await isAbove(folders, scratchBytes)) excess = 'scratch';
    if (isStopped) return;
    if (excess !== null) controller.abort(KILL_AT_ONCE);
    else timer = setTimeout(look, USAGE_LOOK_MS);
  };
  timer = setTimeout(look, USAGE_LOOK_MS);
  return {
    signal: controller.signal,
    excess: () => (controller.signal.aborted ? excess : null),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Links are not followed; files that go meanwhile count nothing. */
async function isAbove(folders: readonly string[], maxBytes: number): Promise<boolean> {
  const queue = [...folders];
  let bytes = 0;
  let entries = 0;
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) queue.push(path);
        else if (entry.isFile()) bytes += usedBytes(await lstat(path));
        entries++;
        if (bytes > maxBytes || entries > SCRATCH_ENTRIES_MAX) return true;
      }
    } catch {
      // Deleted or closed by the tool; deeper than a path can be: its files are not counted.
    }
  }
  return false;
}

/** What it takes on the disk; a sparse file takes less than its size. */
function usedBytes({ blocks }: Stats): number {
  return blocks * 512;
}
