/** How an AppError travels through the engine: as a terminal error that carries its record. */
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import { RestateError, TerminalError } from '@restatedev/restate-sdk';

const METADATA_KEY = 'helixmesh-error';

export function terminal(record: ErrorRecord): TerminalError {
  return new TerminalError(record.message, {
    metadata: { [METADATA_KEY]: JSON.stringify(record) },
  });
}

/** The record inside a terminal error, whoever threw it. */
export function recordOf(error: TerminalError | AppError): ErrorRecord {
  if (error instanceof AppError) return error.toRecord();
  const carried = error.metadata?.[METADATA_KEY];
  if (carried !== undefined) return JSON.parse(carried);
  return { code: 'INTERNAL', message: error.message };
}

/**
 * For `asTerminalError`: a failure that trying again cannot mend ends the job in words, instead of
 * being retried for ever out of sight. What the database says is tried again: it may be locked by a
 * reader or its disk full for a while.
 */
export function asTerminalError(error: unknown): TerminalError | undefined {
  if (error instanceof RestateError) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('ERR_SQLITE')) return undefined;
  const known = AppError.from(error);
  return known.retryable ? undefined : terminal(known.toRecord());
}

export const CANCELED: ErrorRecord = { code: 'CANCELED', message: 'the job was canceled' };
