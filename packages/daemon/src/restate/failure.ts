/** How an AppError travels through the engine: as a terminal error that carries its record. */
import { AppError, type ErrorRecord } from '@helixmesh/protocol';
import { TerminalError } from '@restatedev/restate-sdk';

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

/** For `asTerminalError`: failures of ours that trying again cannot mend end the step. */
export function asTerminalError(error: unknown): TerminalError | undefined {
  if (error instanceof AppError && !error.retryable) return terminal(error.toRecord());
  return undefined;
}

export const CANCELED: ErrorRecord = { code: 'CANCELED', message: 'the job was canceled' };
