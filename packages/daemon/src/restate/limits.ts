/** Named limits of the durable engine. */

/** How long a starting Restate server may take to answer its health check. */
export const SERVER_START_TIMEOUT_MS = 60_000;
/** Between two looks at a starting server. */
export const SERVER_POLL_MS = 20;
/** SIGTERM to SIGKILL when the server is stopped; it usually takes 50 ms. */
export const SERVER_STOP_TIMEOUT_MS = 5_000;
/** Longest reply that is read from the admin or ingress API, bytes. */
export const REPLY_MAX_BYTES = 16 * 1024 * 1024;
/** One request to the engine. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** RocksDB's memory; 2 GiB is Restate's default, 256 MiB was enough at 64 calls in flight. */
export const ROCKSDB_MEMORY = '256 MiB';
/** Partitions of the embedded server; fewer partitions, less resident memory. */
export const PARTITIONS = 4;
/** Longest time between two tries of a handler that could not be reached. */
export const HANDLER_RETRY_MAX_MS = 1_000;
/** sockaddr_un holds 108 bytes with the closing NUL; some room is left for file names. */
export const SOCKET_PATH_MAX_BYTES = 104;
/** How often a task that waits for its tool reads SQL although nothing has woken it. */
export interface OutcomePoll {
  /** The first wait, ms; it doubles up to the cap. */
  readonly firstMs: number;
  readonly maxMs: number;
}
export const OUTCOME_POLL: OutcomePoll = { firstMs: 60_000, maxMs: 900_000 };
/** Limits of the server's invoker that its environment may set; tests shorten them. */
export const INVOKER_LIMIT_VARIABLES = [
  'RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT',
  'RESTATE_WORKER__INVOKER__ABORT_TIMEOUT',
] as const;
