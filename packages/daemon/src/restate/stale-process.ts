/** Ending a server that a killed daemon left behind, never a process that merely has its number. */
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  describeProcess,
  isAlive,
  type ProcessRecord,
  readProcessRecord,
} from '../supervision/process-record.ts';
import { SERVER_POLL_MS } from './limits.ts';

export interface StaleServers {
  /** Where the last daemon has recorded its server. */
  readonly recordPath: string;
  /** Name of the server's program. */
  readonly program: string;
  /** One of its arguments, which no server of another daemon has. */
  readonly argument: string;
}

/**
 * Kills the recorded server, and any that was started but not recorded, because its daemon died in
 * between; waits for their end.
 */
export async function killStaleServers({
  recordPath,
  program,
  argument,
}: StaleServers): Promise<void> {
  const recorded = await readProcessRecord(recordPath);
  if (recorded !== null) await kill(recorded);
  for (const record of await processesOf(program, argument)) await kill(record);
}

async function kill(record: ProcessRecord): Promise<void> {
  if (!(await isAlive(record))) return;
  process.kill(record.pid, 'SIGKILL');
  while (await isAlive(record)) await delay(SERVER_POLL_MS);
}

/** Living processes of the program with this argument; none without /proc. */
async function processesOf(program: string, argument: string): Promise<ProcessRecord[]> {
  const entries = await readdir('/proc').catch(() => []);
  const found: ProcessRecord[] = [];
  for (const entry of entries.filter((name) => /^\d+$/.test(name))) {
    // It may end while we look.
    const text = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const [command = '', ...args] = text.split('\0');
    if (basename(command) !== program || !args.includes(argument)) continue;
    found.push(await describeProcess(Number(entry)));
  }
  return found;
}
