/** A listener on a free port of this machine, and people and nodes that call it over real TLS. */
import type { TestContext } from 'node:test';
import { type Channel, type ChannelSigner, openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  digestOf,
  KEY_BYTES,
  type NodeAddress,
  type Scope,
  type SessionDelegation,
  signSession,
  toHex,
  type WalletSigner,
  walletOf,
} from '@helixmesh/protocol/sealing';
import { pino } from 'pino';
import { identityOf, type NodeIdentity } from '../identity.ts';
import { createListener, type NetworkListener } from '../listener.ts';
import type { ListenerOptions } from '../options.ts';

export const NETWORK: Digest = digestOf(nodeCrypto, 'helixmesh/network/v1', 'of tests');

export interface TestNode {
  readonly identity: NodeIdentity;
  readonly listener: NetworkListener;
  readonly address: NodeAddress;
}

/** Starts a listener that the test stops; `serve` adds routes and services. */
export async function startTestNode(
  t: TestContext,
  serve: (listener: NetworkListener) => void,
  options: Partial<ListenerOptions> = {},
): Promise<TestNode> {
  const identity = options.identity ?? testIdentity();
  const listener = createListener({
    identity,
    network: NETWORK,
    host: '127.0.0.1',
    port: 0,
    crypto: nodeCrypto,
    now: Date.now,
    logger: pino({ level: 'silent' }),
    ...options,
  });
  serve(listener);
  await listener.listen();
  t.after(() => listener.close());
  return { identity, listener, address: listener.address };
}

/** A node's keys, in memory only. */
export function testIdentity(): NodeIdentity {
  return identityOf(nodeCrypto.random(KEY_BYTES), nodeCrypto.random(KEY_BYTES));
}

export interface TestAccount extends ChannelSigner {
  readonly wallet: WalletSigner;
  readonly session: NonNullable<ChannelSigner['session']>;
}

/** A person with a fresh wallet, signed in for `scopes` for an hour. */
export async function testAccount(
  scopes: readonly Scope[] = ['read', 'list', 'put'],
  change: Partial<SessionDelegation> = {},
): Promise<TestAccount> {
  const wallet = walletOf(nodeCrypto, nodeCrypto.random(KEY_BYTES));
  const secretKey = nodeCrypto.random(KEY_BYTES);
  const issuedAtMs = change.issuedAtMs ?? Date.now();
  const session = await signSession(nodeCrypto, wallet, {
    account: wallet.address,
    sessionKey: toHex(nodeCrypto.ed25519PublicKey(secretKey)),
    network: NETWORK,
    scopes,
    issuedAtMs,
    expiresAtMs: issuedAtMs + 3_600_000,
    nonce: toHex(nodeCrypto.random(16)),
    ...change,
  });
  return { wallet, secretKey, session };
}

/** A channel of an account, or of nobody, that ends with the test. */
export function channelOf(
  t: TestContext,
  address: NodeAddress,
  signer?: ChannelSigner,
  now: () => number = Date.now,
): Channel {
  const channel = openChannel({ address, network: NETWORK, signer, now });
  t.after(() => channel.close());
  return channel;
}

/** A channel of a node, with its certificate. */
export function nodeChannelOf(
  t: TestContext,
  address: NodeAddress,
  identity: NodeIdentity,
  certificate: NodeIdentity = identity,
): Channel {
  const signer = { secretKey: identity.signingKey.secretKey };
  const channel = openChannel({ address, network: NETWORK, signer, certificate });
  t.after(() => channel.close());
  return channel;
}

/** All of a stream. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
