/** The headers that make a request one of this signer, at this node, once. */
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  encodeSession,
  formatRequestProof,
  type NodeAddress,
  SESSION_HEADER,
  type SignedSession,
  signRequest,
} from '@helixmesh/protocol/sealing';

/** Whose requests these are: a session's key with what the wallet has signed, or a node's own key. */
export interface ChannelSigner {
  /** Ed25519. */
  readonly secretKey: Uint8Array;
  /** Absent for a node. */
  readonly session?: SignedSession | undefined;
}

export interface SigningOptions {
  readonly address: NodeAddress;
  readonly network: Digest;
  readonly signer?: ChannelSigner | undefined;
  readonly now: () => number;
}

export interface RequestToSign {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly bodySha256: Uint8Array;
}

/** None where there is no signer. */
export function signatureHeaders(
  { address, network, signer, now }: SigningOptions,
  request: RequestToSign,
): Readonly<Record<string, string>> {
  if (signer === undefined) return {};
  const facts = { ...request, network, audience: address.nodeId };
  const { secretKey, session } = signer;
  const proof = signRequest(nodeCrypto, facts, { secretKey, nowMs: now() });
  return {
    authorization: formatRequestProof(proof),
    ...(session === undefined ? {} : { [SESSION_HEADER]: encodeSession(session) }),
  };
}
