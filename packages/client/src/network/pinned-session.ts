/**
 * One HTTP/2 connection to a node whose key is known beforehand.
 *
 * Invariants
 * N1  Nothing is sent before TLS 1.3 is up and the peer's certificate holds the key that was asked
 *     for. No authority and no host name counts.
 * N2  A connection that is lost is opened again by the next request; a request is sent once.
 * N3  A request that is given up is cut off: its receiver never sees it end.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { createGrpcTransport } from '@connectrpc/connect-node';
import { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  formatNodeAddress,
  fromHex,
  KEY_BYTES,
  type NodeAddress,
  nodeKeyOf,
} from '@helixmesh/protocol/sealing';
import {
  CONNECT_MS_MAX,
  CONNECTION_WINDOW_BYTES,
  CONNECTIONS_PER_REQUEST_MAX,
  PING_INTERVAL_MS,
  PING_MS_MAX,
  STREAM_WINDOW_BYTES,
} from './limits.ts';
import { keyOfCertificate } from './wire.ts';

/** A node's certificate, which it shows to its peers; `NodeIdentity` of the daemon fits. */
export interface ChannelCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface PinnedSessionOptions {
  readonly address: NodeAddress;
  readonly certificate?: ChannelCertificate | undefined;
}

type SessionManager = NonNullable<Parameters<typeof createGrpcTransport>[0]['sessionManager']>;

/** What ConnectRPC asks of a connection, and an end to it. */
export interface PinnedSession extends SessionManager {
  /** Ends the connection, and with CANCELED what runs on it. */
  close(): void;
}

export function createPinnedSession(options: PinnedSessionOptions): PinnedSession {
  let current: Promise<ClientHttp2Session> | undefined;
  let isClosed = false;

  async function open(): Promise<ClientHttp2Session> {
    if (isClosed) throw canceled();
    const connecting = current ?? connectPinned(options);
    current = connecting;
    const found = await connecting.catch((error: unknown) => {
      if (current === connecting) current = undefined;
      throw error;
    });
    if (!found.closed && !found.destroyed) return found;
    if (current === connecting) current = undefined;
    return open();
  }

  return {
    authority: authorityOf(options.address),
    async request(method, path, headers, requestOptions) {
      for (let left = CONNECTIONS_PER_REQUEST_MAX; ; left -= 1) {
        const session = await open();
        try {
          const pseudo = { ':method': method, ':path': path };
          const stream = session.request({ ...headers, ...pseudo }, requestOptions);
          return cutByClose(stream, options.address);
        } catch (error) {
          // The connection ended between the look at it and its use: nothing has been sent (N2).
          if (left === 1 || !(session.closed || session.destroyed)) throw error;
        }
      }
    },
    notifyResponseByteRead() {
      // The pings need no help.
    },
    close() {
      isClosed = true;
      current?.then(
        (session) => session.destroy(canceled(), constants.NGHTTP2_CANCEL),
        () => {
          // There is no connection to end.
        },
      );
    },
  };
}

/**
 * Makes `close` reset the stream at once. Node's own sends the end of the request before the reset, and
 * half of an upload would look like all of it (N3). Node closes streams itself, in the same words, when
 * the connection below them has ended: then it was not the caller who gave up.
 */
function cutByClose(stream: ClientHttp2Stream, address: NodeAddress): ClientHttp2Stream {
  const { session } = stream;
  stream.close = (_code, callback) => {
    if (callback !== undefined) stream.once('close', callback);
    const isLost = session === undefined || session.destroyed || session.socket.destroyed;
    stream.destroy(isLost ? unreachable(address, undefined) : canceled());
  };
  return stream;
}

/** Connects and verifies; the HTTP/2 session begins after that. */
function connectPinned({
  address,
  certificate,
}: PinnedSessionOptions): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: address.host,
      port: address.port,
      // No name is sent or compared: the key is the name (N1).
      servername: '',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      ...(certificate && { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(connectionError(address, error));
    };
    const timer = setTimeout(() => fail(undefined), CONNECT_MS_MAX);
    socket.once('error', fail);
    socket.once('close', () => fail(undefined));
    socket.once('secureConnect', () => {
      const flaw = flawOf(socket, address);
      if (flaw !== undefined) return fail(flaw);
      clearTimeout(timer);
      socket.removeAllListeners('error').removeAllListeners('close');
      return resolve(startSession(socket, address));
    });
  });
}

/** Why the peer is not who was asked for; undefined when it is. */
function flawOf(socket: TLSSocket, address: NodeAddress): AppError | undefined {
  const certificate = socket.getPeerX509Certificate();
  const key = certificate && keyOfCertificate(certificate);
  const expected = fromHex(nodeKeyOf(address.nodeId), { what: 'a node id', bytes: KEY_BYTES });
  if (key === undefined || !nodeCrypto.equal(key, expected)) {
    return notTrusted(address, 'another node answers there');
  }
  if (socket.getProtocol() !== 'TLSv1.3') return notTrusted(address, 'it does not speak TLS 1.3');
  if (socket.alpnProtocol !== 'h2') return notTrusted(address, 'it does not speak HTTP/2');
  return undefined;
}

function startSession(socket: TLSSocket, address: NodeAddress): ClientHttp2Session {
  const session = connect(authorityOf(address), {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
  });
  session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
  // Streams carry the error to whoever waits; without them nobody does.
  session.on('error', () => {});
  keepAlive(session, address);
  return session;
}

/** Ends the connection when a ping stays without an answer; streams on it fail at once then. */
function keepAlive(session: ClientHttp2Session, address: NodeAddress): void {
  const timer = setInterval(() => {
    if (session.destroyed || session.closed) return;
    const lost = setTimeout(() => {
      session.destroy(unreachable(address, undefined), constants.NGHTTP2_CANCEL);
    }, PING_MS_MAX).unref();
    session.ping(() => clearTimeout(lost));
  }, PING_INTERVAL_MS);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

/** OpenSSL: the versions or ciphers have nothing in common, or the peer speaks no TLS. */
const TLS_ERROR = /^ERR_(SSL|TLS)_/;

function connectionError(address: NodeAddress, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && TLS_ERROR.test(code)) {
    return notTrusted(address, 'it does not speak TLS 1.3', cause);
  }
  return unreachable(address, cause);
}

function notTrusted(address: NodeAddress, why: string, cause?: unknown): AppError {
  return new AppError('PEER_NOT_TRUSTED', `${formatNodeAddress(address)}: ${why}`, {
    hint: 'Ask whoever runs the node for its address; do not go on if they say this one is right.',
    cause,
  });
}

/** The node cannot be reached, or the connection to it was lost. */
export function unreachable(address: NodeAddress, cause: unknown): AppError {
  return new AppError('PEER_UNREACHABLE', `${formatNodeAddress(address)} does not answer`, {
    hint: 'Check that the node runs and that host and port are right, then try again.',
    cause,
  });
}

export function canceled(cause?: unknown): AppError {
  return new AppError('CANCELED', 'the request was given up before its answer', { cause });
}

export function authorityOf({ host, port }: NodeAddress): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
