/** Limits of a channel to another node. */

/** An answer or a gRPC message, bytes: a header of 4 MiB fits in base64. */
export const REPLY_BYTES_MAX = 16 * 1024 * 1024;
/** TCP and TLS, ms. */
export const CONNECT_MS_MAX = 10_000;
/** A call with one answer, ms. A stream may take any time. */
export const CALL_MS_MAX = 60_000;
/** Between two pings of a connection that is in use, ms. */
export const PING_INTERVAL_MS = 15_000;
/** A ping without an answer: the connection is lost, ms. */
export const PING_MS_MAX = 10_000;
/** Bytes of one stream that a node may send ahead: 100 MB/s over a way of 40 ms. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** The same for the connection. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Connections tried for one request, where each is lost before the request is sent. */
export const CONNECTIONS_PER_REQUEST_MAX = 3;
