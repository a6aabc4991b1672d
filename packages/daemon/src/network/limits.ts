/** Limits on what comes over the network, and on how long it may take. */

/** A key file, bytes: 64 digits and a line break, with room to say what is wrong with another one. */
export const KEY_FILE_BYTES_MAX = 1_024;

/** A request body or gRPC message, bytes: a full grant of 4 MiB fits in base64. */
export const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
/** All headers of a request, bytes; a session has about 1 KiB. */
export const HEADER_LIST_BYTES_MAX = 16 * 1024;
/** Headers of a request. */
export const HEADER_PAIRS_MAX = 64;
/** The header with the session, characters. */
export const SESSION_CHARS_MAX = 4_096;
/** Answers that one connection waits for at once. */
export const STREAMS_PER_CONNECTION_MAX = 64;
/** Unread bytes of one request that a peer may send ahead: 25 MB/s over a way of 40 ms. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
/**
 * The same of all requests of one connection, once somebody has signed one on it; until then it is the
 * 64 KiB of HTTP/2, which over a way of 100 ms are 0.6 MB/s.
 */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;
/** Connections at once. */
export const CONNECTIONS_MAX = 1_024;
/** Connections at once from one address. */
export const CONNECTIONS_PER_ADDRESS_MAX = 128;

/** A TLS handshake, ms. */
export const HANDSHAKE_MS_MAX = 10_000;
/** A request's body, or a message of it where it has just one, ms. */
export const RECEIVE_MS_MAX = 60_000;
/** A peer that neither reads nor writes on a stream that waits for it, ms. */
export const STREAM_IDLE_MS_MAX = 120_000;
/** A connection on which nothing happens, ms. */
export const CONNECTION_IDLE_MS_MAX = 300_000;
/** What is being answered when the listener closes may take so long, ms. */
export const CLOSE_GRACE_MS = 5_000;

/** Requests of one address (an IPv6 network of 64 bits) in a minute. */
export const REQUESTS_PER_ADDRESS_MAX = 6_000;
/** Requests of one account or node in a minute. */
export const REQUESTS_PER_KEY_MAX = 6_000;
export const REQUESTS_WINDOW_MS = 60_000;
/** Addresses and keys whose requests are counted; the one longest unseen is forgotten. */
export const COUNTED_CALLERS_MAX = 5_000;
/** Sessions whose wallet signature has been verified, kept: 1 ms each, and some 2 KiB. */
export const SESSIONS_CACHED_MAX = 4_096;
