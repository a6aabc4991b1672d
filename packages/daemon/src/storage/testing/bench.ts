/** A vault behind a real listener, with people, for tests: everything goes over TLS and files. */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Client } from '@connectrpc/connect';
import { type Channel, openChannel } from '@helixmesh/client/network';
import { AppError, type ErrorCode } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  documentId,
  encodeDocument,
  GRANT_TYPE,
  type Grant,
  type GrantSegments,
  type RevocationHead,
  SCOPES,
  type Scope,
  type Signed,
  signDocument,
  signSession,
  signWithKey,
  toHex,
  type WalletSigner,
} from '@helixmesh/protocol/sealing';
import { custodianKit } from '@helixmesh/vault/testing/custodian';
import { network, owner, type TestObject } from '@helixmesh/vault/testing/sealed-object';
import { identityOf } from '../../network/identity.ts';
import { createListener } from '../../network/listener.ts';
import type { Logger } from '../../node/logger.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { createStorage, type StorageOptions } from '../storage.ts';

const root = temporaryFolder('storage');
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const START_MS = 1_800_000_000_000;

export type Caller = Client<typeof BioNfs>;
export type Bench = Awaited<ReturnType<typeof startVault>>;

/** A vault in a folder of its own; ends with the tests of the file. */
export async function startVault(changes: Partial<StorageOptions> = {}) {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const identity = await identityOf(nodeCrypto.random(32), nodeCrypto.random(32));
  const common = { identity, network, crypto: nodeCrypto, now, logger: silent };
  const listener = createListener({ ...common, host: '127.0.0.1', port: 0 });
  const folder = changes.folder ?? (await mkdtemp(join(root, 'vault-')));
  const quotaOf = () => ({ bytes: 2 ** 30, objects: 100 });
  const options = { ...common, folder, zone: 'EU', quotaOf, listener, ...changes };
  const storage = createStorage(options);
  await storage.start();
  await listener.listen();
  const channels: Channel[] = [];
  async function stop(): Promise<void> {
    for (const channel of channels) channel.close();
    await listener.close();
    await storage.stop();
  }
  after(stop);

  function connect(signer: Parameters<typeof openChannel>[0]['signer'], certificate?: Certificate) {
    const { address } = listener;
    const channel = openChannel({ address, network, signer, certificate, now });
    channels.push(channel);
    return channel.bionfs;
  }

  return {
    clock,
    folder,
    storage,
    stop,
    identity,
    nobody: () => connect(undefined),
    /** A session of that wallet. */
    async login(wallet: WalletSigner, scopes: readonly Scope[] = SCOPES): Promise<Caller> {
      const secretKey = nodeCrypto.random(32);
      const session = await signSession(nodeCrypto, wallet, {
        account: wallet.address,
        sessionKey: toHex(nodeCrypto.ed25519PublicKey(secretKey)),
        network,
        scopes,
        issuedAtMs: clock.nowMs,
        expiresAtMs: clock.nowMs + 3_600_000,
        nonce: toHex(nodeCrypto.random(16)),
      });
      return connect({ secretKey, session });
    },
    /** The owner's custodian: a node of its own, with what it says of heads and regions. */
    async custodian(of = owner) {
      const secretKey = nodeCrypto.random(32);
      const node = await identityOf(secretKey, nodeCrypto.random(32));
      const kit = custodianKit(network, of, secretKey);
      const bionfs = connect({ secretKey }, node);
      const statement = await kit.statement();
      return {
        ...kit,
        bionfs,
        statement,
        /** What `PushHead` takes, attested now. */
        update: (head: Signed<RevocationHead>, atMs = clock.nowMs) => ({
          custodian: encodeDocument(statement),
          head: encodeDocument(head),
          attestation: encodeDocument(kit.attest(head, { atMs })),
        }),
        segments: (grant: Signed<Grant>, segments: GrantSegments['segments']) =>
          encodeDocument(
            signWithKey(nodeCrypto, secretKey, {
              type: 'helixmesh/grant-segments/v1',
              network,
              grant: documentId(nodeCrypto, grant.document),
              object: grant.document.dataset,
              segments,
              atMs: clock.nowMs,
            } as const),
          ),
      };
    },
  };
}

type Certificate = NonNullable<Parameters<typeof openChannel>[0]['certificate']>;

/** A grant of everything, for ever, to that wallet. */
export function grantTo(
  wallet: WalletSigner,
  object: TestObject,
  changes: Partial<Grant> = {},
  signer = owner,
): Promise<Signed<Grant>> {
  return signDocument(signer, {
    type: GRANT_TYPE,
    network,
    owner: signer.address,
    grantee: wallet.address,
    dataset: object.id,
    terms: { pipelines: null, commercialUse: true, zones: null },
    untilMs: null,
    regions: null,
    nonce: toHex(nodeCrypto.random(16)),
    issuedAtMs: START_MS - 1_000,
    ...changes,
  });
}

/** Puts an object as its owner does; answers its id. `body` may be another than what was signed. */
export async function put(
  bionfs: Caller,
  object: TestObject,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = inPieces(object.body),
): Promise<string> {
  const opened = await bionfs.openPut({ manifest: encodeDocument(object.signed) });
  if (opened.isKnown) return opened.objectId;
  const { objectId } = await bionfs.write(messagesOf(opened.stateId, body));
  return objectId;
}

export async function* messagesOf(
  stateId: Uint8Array,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  offset = 0n,
): AsyncGenerator<{ stateId?: Uint8Array; offset?: bigint; data: Uint8Array }> {
  yield { stateId, offset, data: new Uint8Array(0) };
  for await (const data of body) yield { data };
}

export function* inPieces(bytes: Uint8Array, size = 100_000): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The bytes of a stream of chunks. */
export async function bytesOf(chunks: AsyncIterable<{ data: Uint8Array }>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const { data } of chunks) parts.push(data);
  return Uint8Array.from(Buffer.concat(parts));
}

export const wire = (start: number, end: number) => ({ start: BigInt(start), end: BigInt(end) });

export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Matches an AppError of that code, that says what to do. */
export function isError(code: ErrorCode, message = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, `${error}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined, `${error.message} has no hint`);
    return true;
  };
}
