/**
 * The node's log: JSON lines in the data folder. It names jobs, tasks and attempts by id; sample
 * names, sequence and genotypes never enter it.
 */
import { destination, type Logger as Pino, pino } from 'pino';

export type Logger = Pick<Pino, 'debug' | 'info' | 'warn' | 'error'>;

export function createLogger(path: string, level: string): Logger {
  return pino(
    { level, base: null },
    destination({ dest: path, mkdir: true, mode: 0o600, sync: true }),
  );
}
