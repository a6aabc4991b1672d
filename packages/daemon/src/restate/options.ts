/** How the engine treats our handlers. */
import { asTerminalError } from './failure.ts';
import { HANDLER_RETRY_MAX_MS } from './limits.ts';

/**
 * Handlers only wait and write small rows, so a handler that stays silent is stuck; tools run
 * outside (docs/adr/0001-restate.md). The engine retries for ever: giving up is decided by us, in words.
 */
export const HANDLER_OPTIONS = {
  ingressPrivate: false,
  enableLazyState: true,
  journalRetention: { days: 1 },
  retryPolicy: {
    // Without it the server pauses an invocation for good after its default number of tries.
    maxAttempts: 2 ** 31 - 1,
    initialInterval: { milliseconds: 50 },
    exponentiationFactor: 2,
    maxInterval: { milliseconds: HANDLER_RETRY_MAX_MS },
  },
  asTerminalError,
} as const;
