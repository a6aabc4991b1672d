/** Requests that our client would not send: headers and body are the test's own. */
import { once } from 'node:events';
import { connect, type OutgoingHttpHeaders } from 'node:http2';
import type { TestContext } from 'node:test';
import type { AppError } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  decodeWireError,
  ERROR_HEADER,
  encodeSession,
  formatRequestProof,
  type NodeAddress,
  type RequestFacts,
  SESSION_HEADER,
  signRequest,
  utf8,
} from '@helixmesh/protocol/sealing';
import { NETWORK, type TestAccount } from './test-node.ts';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface RawReply {
  readonly status: number;
  readonly error: AppError | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Opens a connection for the test, and returns how to send requests on it. */
export function rawConnection(t: TestContext, { port }: NodeAddress) {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  return async ({ method, path, headers, body }: RawRequest): Promise<RawReply> => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const stream = session.request({ ':method': method, ':path': path, ...type, ...headers });
    stream.end(body);
    const [reply] = await once(stream, 'response');
    stream.resume();
    const error = reply[ERROR_HEADER];
    return {
      status: Number(reply[':status']),
      error: typeof error === 'string' ? decodeWireError(error) : undefined,
      headers: reply,
    };
  };
}

/** The headers of a request that `account` signs, where `change` makes them lie. */
export function signedHeaders(
  { secretKey, session }: Pick<TestAccount, 'secretKey' | 'session'>,
  request: Omit<RawRequest, 'headers'> & Pick<RequestFacts, 'audience'>,
  change: Partial<RequestFacts> & { readonly nowMs?: number } = {},
): OutgoingHttpHeaders {
  const { nowMs = Date.now(), ...facts } = change;
  const { method, path, audience, body = '' } = request;
  const bodySha256 = nodeCrypto.sha256(utf8(body));
  const said = { network: NETWORK, method, path, audience, bodySha256, ...facts };
  const proof = signRequest(nodeCrypto, said, { secretKey, nowMs });
  return {
    authorization: formatRequestProof(proof),
    [SESSION_HEADER]: encodeSession(session),
  };
}
