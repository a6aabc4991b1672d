/** The one rendering of a failure: what failed, what to do, the code. */

import { styleText } from 'node:util';
import { AppError, ERROR_TABLE } from '@helixmesh/protocol';

/** Writes the failure and answers the exit code of its class. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = AppError.from(thrown);
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: error.toRecord() }, null, 2)}\n`);
  } else {
    process.stderr.write(errorText(error));
  }
  return ERROR_TABLE[error.code].exit;
}

export function errorText(error: Pick<AppError, 'code' | 'message' | 'hint'>): string {
  const paint = (format: 'red' | 'dim', text: string) =>
    styleText(format, text, { stream: process.stderr });
  const hint = error.hint === undefined ? '' : `  → ${error.hint}\n`;
  return `${paint('red', 'error:')} ${error.message}\n${hint}  ${paint('dim', `code ${error.code}`)}\n`;
}
