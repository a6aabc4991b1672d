/**
 * Who sent a request: its proof, its session or certificate, and what the route demands of them.
 *
 * Invariants
 * A1  A session or certificate is looked at before the proof, and the nonce is remembered last: what
 *     nobody could have sent fills no memory.
 * A2  A node's own key counts only on a connection that was made with that same key, so a request
 *     that was seen elsewhere is worth nothing here.
 * A3  A session that was verified before is judged by its times again.
 */
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import {
  type Crypto,
  makeReplayGuard,
  nodeIdOf,
  parseRequestProof,
  parseSignedSession,
  type RequestProof,
  type Scope,
  type SessionDelegation,
  type SignedBy,
  toHex,
  verifyRequest,
  verifySession,
} from '@helixmesh/protocol/sealing';
import { type AccountCaller, accountOf, type Caller, type NodeCaller, nodeOf } from './caller.ts';
import { SESSION_CHARS_MAX, SESSIONS_CACHED_MAX } from './limits.ts';

/** What a request says beside its body. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly session: string | undefined;
  /** Ed25519 key of the client's certificate, if it showed one of that kind. */
  readonly certificateKey: Uint8Array | undefined;
}

/** Whom a route or method lets in. */
export interface Access {
  readonly signedBy: SignedBy;
  /** Scope that an account's session must have; null for any. */
  readonly scope: Scope | null;
}

export interface AuthenticatorOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  /** The node that is asked: this one. */
  readonly nodeId: NodeId;
  readonly now: () => number;
}

/** Throws UNAUTHENTICATED, ACCESS_REFUSED (a missing scope) or BUSY. */
export type Authenticate = (head: RequestHead, bodySha256: Uint8Array, access: Access) => Caller;

export function makeAuthenticate(options: AuthenticatorOptions): Authenticate {
  const { crypto, network, nodeId, now } = options;
  const guard = makeReplayGuard({ startedAtMs: now() });
  const delegationOf = makeSessions(options);

  function callerOf(head: RequestHead, { publicKey }: RequestProof): AccountCaller | NodeCaller {
    if (head.session !== undefined) {
      const { account, scopes, sessionKey } = delegationOf(head.session);
      if (sessionKey !== toHex(publicKey)) throw refused('its session is of another key');
      return { kind: 'account', account, scopes, publicKey };
    }
    const { certificateKey } = head;
    if (certificateKey === undefined || !crypto.equal(certificateKey, publicKey)) {
      throw refused('the certificate of the connection is not of the node that signed');
    }
    return { kind: 'node', nodeId: nodeIdOf(toHex(publicKey)), publicKey };
  }

  return (head, bodySha256, access) => {
    if (access.signedBy === 'nobody') return { kind: 'nobody' };
    const proof = proofOf(head.authorization);
    if (guard.isStale(proof.timeMs, now())) throw staleRequest();
    const caller = callerOf(head, proof);
    const { method, path } = head;
    const facts = { network, method, path, bodySha256, audience: nodeId };
    const verdict = verifyRequest(crypto, facts, proof, { nowMs: now(), guard });
    if (verdict.status === 'refused') throw REFUSALS[verdict.reason]();
    assertAccess(caller, access);
    return caller;
  };
}

function assertAccess(caller: Caller, { signedBy, scope }: Access): void {
  if (signedBy === 'node') nodeOf(caller);
  if (signedBy === 'account' || (caller.kind === 'account' && scope !== null)) {
    accountOf(caller, scope);
  }
}

/** Reads sessions, and remembers those that their wallets have signed. */
function makeSessions({ crypto, network, now }: AuthenticatorOptions) {
  const known = new Map<string, SessionDelegation>();
  return (header: string): SessionDelegation => {
    const nowMs = now();
    const found = known.get(header);
    // An issue in the future was judged when it was verified; only the end can have come since (A3).
    if (found !== undefined) {
      if (nowMs < found.expiresAtMs) return found;
      known.delete(header);
      throw refused('its session has expired');
    }
    if (header.length > SESSION_CHARS_MAX) throw refused('its session is too long');
    const verdict = verifySession(crypto, signedSessionOf(header), { network, nowMs });
    if (verdict.status === 'invalid') {
      throw refused(`its session is not valid: ${SESSION_FLAWS[verdict.reason]}`);
    }
    const oldest = known.keys().next().value;
    if (known.size >= SESSIONS_CACHED_MAX && oldest !== undefined) known.delete(oldest);
    known.set(header, verdict.delegation);
    return verdict.delegation;
  };
}

const SESSION_FLAWS = {
  message: 'it is not the text of a session',
  network: 'it is of another network',
  not_yet: 'it has not begun',
  expired: 'it has expired',
  signature: 'its account has not signed it',
} as const;

const REFUSALS = {
  stale: staleRequest,
  signature: () => refused('its signature does not match'),
  replayed: () => refused('it was sent before'),
  busy: () =>
    new AppError('BUSY', 'this node has seen too many requests in the last minute', {
      hint: 'Try again in a minute.',
    }),
} as const;

function proofOf(authorization: string | undefined): RequestProof {
  if (authorization === undefined) throw refused('it is not signed');
  try {
    return parseRequestProof(authorization);
  } catch (cause) {
    throw refused('the header Authorization holds no signature', cause);
  }
}

function signedSessionOf(header: string) {
  try {
    return parseSignedSession(header);
  } catch (cause) {
    throw refused(`its session is not valid: ${SESSION_FLAWS.message}`, cause);
  }
}

function staleRequest(): AppError {
  return new AppError('UNAUTHENTICATED', 'the request was signed at another time than now', {
    hint: 'Set the clock of your machine; it may differ from this node by a minute.',
  });
}

function refused(why: string, cause?: unknown): AppError {
  return new AppError('UNAUTHENTICATED', `the request is refused: ${why}`, {
    hint: 'Sign in again with `biofs login`; a node signs with the key of its certificate.',
    cause,
  });
}
