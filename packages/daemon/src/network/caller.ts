/**
 * Who sent a request, after its signature has been verified: an account by a session key that its
 * wallet has delegated, a node by its own key, or nobody where the request needs no signature.
 */
import { AppError, type NodeId } from '@helixmesh/protocol';
import type { Scope } from '@helixmesh/protocol/sealing';

export interface NobodyCaller {
  readonly kind: 'nobody';
}

export interface AccountCaller {
  readonly kind: 'account';
  /** The wallet's address, in lower case. */
  readonly account: string;
  /** Ed25519 key of the session. */
  readonly publicKey: Uint8Array;
  readonly scopes: readonly Scope[];
}

export interface NodeCaller {
  readonly kind: 'node';
  readonly nodeId: NodeId;
  /** Ed25519 key of the node; its TLS certificate holds the same one. */
  readonly publicKey: Uint8Array;
}

export type Caller = NobodyCaller | AccountCaller | NodeCaller;

/**
 * The caller as an account whose session has this scope; null asks for none. Throws UNAUTHENTICATED,
 * ACCESS_REFUSED.
 */
export function accountOf(caller: Caller, scope: Scope | null): AccountCaller {
  if (caller.kind !== 'account') {
    throw new AppError('UNAUTHENTICATED', 'this request must be signed for an account', {
      hint: 'Sign in with `biofs login`.',
    });
  }
  if (scope !== null && !caller.scopes.includes(scope)) {
    throw new AppError('ACCESS_REFUSED', `the session does not have the scope ${scope}`, {
      hint: `Sign in again with \`biofs login\`, for a session with the scope ${scope}.`,
    });
  }
  return caller;
}

/** The caller as a node. Throws UNAUTHENTICATED. */
export function nodeOf(caller: Caller): NodeCaller {
  if (caller.kind === 'node') return caller;
  throw new AppError('UNAUTHENTICATED', 'this request must be signed by a node', {
    hint: 'Send it from a node, with its own key and certificate.',
  });
}
