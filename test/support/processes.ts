/** Processes of the machine as /proc shows them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nodePaths } from '@helixmesh/daemon/data-folder';

export interface ToolProcess {
  readonly pid: number;
  readonly attemptId: string;
  /** Name of the program; for a script that of its file. */
  readonly name: string;
}

/** Processes whose working folder is below the node's scratch folder: its running tools. */
export function runningTools(dataDir: string): ToolProcess[] {
  const scratch = `${nodePaths(dataDir).scratchRoot}/`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const cwd = readlinkSync(join('/proc', entry, 'cwd'));
        if (!cwd.startsWith(scratch)) return [];
        const name = readFileSync(join('/proc', entry, 'comm'), 'utf8').trim();
        const attemptId = cwd.slice(scratch.length).split('/')[0] ?? '';
        return [{ pid: Number(entry), attemptId, name }];
      } catch {
        return []; // It ended while we looked, or it is not ours to look at.
      }
    });
}

/** The engine's process as the daemon recorded it. */
export function enginePid(dataDir: string): number | undefined {
  try {
    const path = join(nodePaths(dataDir).restateDir, 'server.pid');
    const { pid, startTicks } = JSON.parse(readFileSync(path, 'utf8'));
    return startOf(pid) === startTicks ? pid : undefined;
  } catch {
    return undefined; // Not started yet, or its record is being written.
  }
}

/** Start time in ticks, which tells a recycled pid apart; undefined for no process or a zombie. */
function startOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
