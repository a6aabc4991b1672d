/**
 * Signed requests: no bearer tokens, each request carries a statement of its own that holds once,
 * at one node, for a minute.
 *
 *   LP('helixmesh/request/v1', network, method, path, SHA-256 of the body, audience, time in ms as
 *      u64 big-endian, nonce of 16 bytes), signed with the key of a session or a node (Ed25519)
 *
 * Invariants
 * Q1  The nonce is remembered only after the signature has been verified: strangers fill no memory.
 * Q2  What was accepted once is refused for as long as its time would pass.
 */
import { fromHex, toHex, u64be } from '../bytes.ts';
import { type Crypto, ED25519_SIGNATURE_BYTES, KEY_BYTES } from '../crypto/port.ts';
import { digestBytes } from '../digest.ts';
import { AppError } from '../errors.ts';
import type { Digest, NodeId } from '../ids.ts';
import { lengthPrefixed } from '../length-prefix.ts';
import type { ReplayGuard } from './replay-guard.ts';

const REQUEST_TAG = 'helixmesh/request/v1';
const NONCE_BYTES = 16;
const PROOF =
  /^Helixmesh key=([0-9a-f]{64}), time=(0|[1-9][0-9]{0,15}), nonce=([0-9a-f]{32}), signature=([0-9a-f]{128})$/;

/** What a request says, seen by both sides. */
export interface RequestFacts {
  readonly network: Digest;
  /** As sent: `GET`. */
  readonly method: string;
  /** Path and query, as they stand in the request line. */
  readonly path: string;
  /** SHA-256 of the body's bytes as sent; of no bytes where there is no body. */
  readonly bodySha256: Uint8Array;
  /** The node that is asked. */
  readonly audience: NodeId;
}

/** What goes with a request, in the header `Authorization`. */
export interface RequestProof {
  /** Ed25519 public key of the session or node. */
  readonly publicKey: Uint8Array;
  readonly timeMs: number;
  readonly nonce: Uint8Array;
  readonly signature: Uint8Array;
}

export interface RequestSigner {
  readonly secretKey: Uint8Array;
  readonly nowMs: number;
}

export function signRequest(
  crypto: Crypto,
  facts: RequestFacts,
  { secretKey, nowMs }: RequestSigner,
): RequestProof {
  const unsigned = { timeMs: nowMs, nonce: crypto.random(NONCE_BYTES) };
  return {
    ...unsigned,
    publicKey: crypto.ed25519PublicKey(secretKey),
    signature: crypto.ed25519Sign(secretKey, requestMessage(facts, unsigned)),
  };
}

export type RequestVerdict =
  | { readonly status: 'accepted' }
  | {
      readonly status: 'refused';
      /** `busy`: the memory for nonces is full; the same request may be sent again later. */
      readonly reason: 'stale' | 'signature' | 'replayed' | 'busy';
    };

/**
 * Whether the holder of `proof.publicKey` asks this, here, now and for the first time. What that
 * key may do is for the caller to know.
 */
export function verifyRequest(
  crypto: Crypto,
  facts: RequestFacts,
  proof: RequestProof,
  at: { readonly nowMs: number; readonly guard: ReplayGuard },
): RequestVerdict {
  const { publicKey, timeMs, nonce, signature } = proof;
  if (at.guard.isStale(timeMs, at.nowMs)) return { status: 'refused', reason: 'stale' };
  if (!crypto.ed25519Verify(publicKey, requestMessage(facts, proof), signature)) {
    return { status: 'refused', reason: 'signature' };
  }
  const entry = { key: toHex(publicKey), nonce: toHex(nonce), timeMs };
  const outcome = at.guard.admit(entry, at.nowMs);
  return outcome === 'admitted' ? { status: 'accepted' } : { status: 'refused', reason: outcome };
}

/** The value of the header `Authorization`. */
export function formatRequestProof({ publicKey, timeMs, nonce, signature }: RequestProof): string {
  const [key, once, signed] = [toHex(publicKey), toHex(nonce), toHex(signature)];
  return `Helixmesh key=${key}, time=${timeMs}, nonce=${once}, signature=${signed}`;
}

/** The proof in a header `Authorization`. Throws INPUT_MALFORMED. */
export function parseRequestProof(text: string): RequestProof {
  const [, key = '', time = '', nonce = '', signature = ''] = PROOF.exec(text) ?? [];
  const timeMs = Number(time);
  if (key === '' || !Number.isSafeInteger(timeMs)) {
    throw new AppError('INPUT_MALFORMED', 'the header Authorization holds no signed request', {
      hint: 'Sign the request with `biofs login`, or send the header as the client library writes it.',
    });
  }
  return {
    publicKey: fromHex(key, { what: 'a key', bytes: KEY_BYTES }),
    timeMs,
    nonce: fromHex(nonce, { what: 'a nonce', bytes: NONCE_BYTES }),
    signature: fromHex(signature, { what: 'a signature', bytes: ED25519_SIGNATURE_BYTES }),
  };
}

function requestMessage(
  facts: RequestFacts,
  { timeMs, nonce }: Pick<RequestProof, 'timeMs' | 'nonce'>,
): Uint8Array {
  return lengthPrefixed(
    REQUEST_TAG,
    digestBytes(facts.network),
    facts.method,
    facts.path,
    facts.bodySha256,
    facts.audience,
    u64be(timeMs),
    nonce,
  );
}
