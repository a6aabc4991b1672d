/**
 * Whether a registration is the node's own, for this network, and in force; and whether the
 * operator's wallet has signed the zone statement in it. Pure: keys and time come from the caller.
 *
 * A statement that nobody signed does not make the registration invalid: it counts for nothing.
 */
import type { Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  fromHex,
  KEY_BYTES,
  nodeKeyOf,
  type Signed,
  verifyDocument,
  verifyWithKey,
} from '@helixmesh/protocol/sealing';
import { REGISTRATION_SKEW_MS } from '../limits.ts';
import type { Registration, ZoneStatement } from './registration.ts';

export type RegistrationVerdict =
  | {
      readonly status: 'valid';
      /** Of the document: the same registration sent again has the same. */
      readonly id: string;
      readonly isZoneStatementVerified: boolean;
    }
  | {
      readonly status: 'invalid';
      readonly reason: 'network' | 'signature' | 'not_yet' | 'expired';
    };

export function verifyRegistration(
  crypto: Crypto,
  signed: Signed<Registration>,
  { network, nowMs }: { readonly network: Digest; readonly nowMs: number },
): RegistrationVerdict {
  const { document } = signed;
  const key = { what: 'a node id', bytes: KEY_BYTES };
  const publicKey = fromHex(nodeKeyOf(document.nodeId), key);
  const verdict = verifyWithKey(crypto, signed, { network, publicKey });
  if (verdict.status === 'invalid') return verdict;
  if (document.issuedAtMs > nowMs + REGISTRATION_SKEW_MS) {
    return { status: 'invalid', reason: 'not_yet' };
  }
  if (nowMs >= document.expiresAtMs) return { status: 'invalid', reason: 'expired' };
  const { zoneStatement } = document;
  const isZoneStatementVerified =
    zoneStatement !== null && isStatedByOperator(crypto, zoneStatement, network);
  return { status: 'valid', id: verdict.id, isZoneStatementVerified };
}

function isStatedByOperator(
  crypto: Crypto,
  statement: Signed<ZoneStatement>,
  network: Digest,
): boolean {
  const signer = statement.document.operator;
  return verifyDocument(crypto, statement, { network, signer }).status === 'valid';
}
