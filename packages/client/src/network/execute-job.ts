/** The body of `POST /bionfs/v1/execute_job`, for clients that sign nothing themselves. */
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  type ExecuteJob,
  encodeSession,
  formatRequestProof,
  formatSessionToken,
  NETWORK_ROUTES,
  type SignedSession,
  signedBytesOf,
  signRequest,
} from '@helixmesh/protocol/sealing';
import type { SigningOptions } from './sign.ts';

export interface ExecuteJobOptions extends Omit<SigningOptions, 'signer'> {
  readonly signer: { readonly secretKey: Uint8Array; readonly session: SignedSession };
}

/** Good once, at the node of `address`, within a minute. */
export function executeJobBody(
  { address, network, signer, now }: ExecuteJobOptions,
  asked: Omit<ExecuteJob, 'session_token'>,
): ExecuteJob {
  const { method, path } = NETWORK_ROUTES.executeJob;
  const bodySha256 = nodeCrypto.sha256(signedBytesOf({ session_token: '', ...asked }));
  const facts = { method, path, bodySha256, network, audience: address.nodeId };
  const proof = signRequest(nodeCrypto, facts, { secretKey: signer.secretKey, nowMs: now() });
  const authorization = formatRequestProof(proof);
  const session = encodeSession(signer.session);
  return { session_token: formatSessionToken({ authorization, session }), ...asked };
}
