/** gRPC calls that our client would not send: a message other than the signed one, or sent again. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { create, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { messageSha256 } from '@helixmesh/client/network';
import { BioNfs, type OpenRequest, OpenRequestSchema } from '@helixmesh/protocol/bionfs';
import { signedHeaders } from './testing/raw-request.ts';
import { startTestNode, type TestNode, testAccount } from './testing/test-node.ts';

const PATH = `/${BioNfs.typeName}/Open`;

/** A client without signatures of its own: each call goes with `headers`. */
function plainClient(t: TestContext, { address }: TestNode, headers: Record<string, string>) {
  const withHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const stop = new AbortController();
  t.after(() => stop.abort());
  const client = createClient(
    BioNfs,
    createGrpcTransport({
      baseUrl: `https://127.0.0.1:${address.port}`,
      nodeOptions: { rejectUnauthorized: false },
      interceptors: [withHeaders],
      idleConnectionTimeoutMs: 100,
    }),
  );
  return (message: MessageShape<typeof OpenRequestSchema>) =>
    client.open(message, { signal: stop.signal });
}

async function startOpen(t: TestContext) {
  const opened: string[] = [];
  const node = await startTestNode(t, (listener) => {
    listener.service(BioNfs, {
      open: ({ objectId }: OpenRequest) => {
        opened.push(objectId);
        return {};
      },
    });
  });
  const account = await testAccount();
  const sign = (message: OpenRequest) => {
    const request = { method: 'POST', path: PATH, audience: node.identity.nodeId };
    const bodySha256 = messageSha256(OpenRequestSchema, message) ?? new Uint8Array();
    return signedHeaders(account, request, { bodySha256 }) as Record<string, string>;
  };
  return { node, opened, sign };
}

const isUnauthenticated = (error: unknown) =>
  error instanceof ConnectError && error.code === Code.Unauthenticated;

test('a message other than the one that was signed is refused, and a signed one counts once', async (t) => {
  const { node, opened, sign } = await startOpen(t);
  const mine = create(OpenRequestSchema, { objectId: 'mine' });
  const open = plainClient(t, node, sign(mine));
  const changes = [{ objectId: 'yours' }, { objectId: 'mine', grants: [Uint8Array.of(1)] }, {}];
  for (const change of changes) {
    await assert.rejects(open(create(OpenRequestSchema, change)), isUnauthenticated);
  }
  assert.deepEqual(opened, []);
  await open(mine);
  await assert.rejects(open(mine), isUnauthenticated);
  assert.deepEqual(opened, ['mine']);
});

test('a message with fields that this node does not know is refused, though it is signed', async (t) => {
  const { node, opened, sign } = await startOpen(t);
  const mine = create(OpenRequestSchema, { objectId: 'mine' });
  const open = plainClient(t, node, sign(mine));
  const more = create(OpenRequestSchema, { objectId: 'mine' });
  more.$unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(1) }];
  await assert.rejects(
    open(more),
    (error) => ConnectError.from(error).code === Code.InvalidArgument,
  );
  assert.deepEqual(opened, []);
});
