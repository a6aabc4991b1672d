/** How commands reach the coordinator of the network that the data folder belongs to, as its node. */
import type { Channel } from '@helixmesh/client/network';
import { AppError, type Digest, type NodeId } from '@helixmesh/protocol';
import type { Context } from './context.ts';

export interface CoordinatorUse {
  readonly channel: Channel;
  /** The node of this data folder, which signs the requests. */
  readonly self: NodeId;
  readonly network: Digest;
  /** Signed for the person who is logged in with `biofs` in this folder; null where nobody is. */
  person(): Promise<Channel | null>;
}

/**
 * Throws CONFIG_INVALID for a folder without identity or network, USAGE when no coordinator is known,
 * PEER_NOT_TRUSTED for one that the network does not name.
 */
export async function withCoordinator<T>(
  context: Context,
  given: string | undefined,
  use: (coordinator: CoordinatorUse) => Promise<T>,
): Promise<T> {
  const { loadIdentity, readNetworkFile } = await import('@helixmesh/daemon/identity');
  const { parseNodeAddress } = await import('@helixmesh/protocol/sealing');
  const { openChannel } = await import('@helixmesh/client/network');
  const identity = await loadIdentity(context.paths.dataDir);
  const { genesis, id: network } = await readNetworkFile(context.paths.networkFile);
  const isCoordinator = genesis.coordinators.includes(identity.nodeId);
  const own = isCoordinator ? identity.nodeId : null;
  const address = parseNodeAddress(given ?? configured(context, own));
  if (!genesis.coordinators.includes(address.nodeId)) {
    throw new AppError('PEER_NOT_TRUSTED', `${address.nodeId} is no coordinator of the network`, {
      hint: `Coordinators of ${genesis.name}: ${genesis.coordinators.join(', ') || 'none'}.`,
    });
  }
  const channel = openChannel({
    address,
    network,
    signer: { secretKey: identity.signingKey.secretKey },
    certificate: identity,
  });
  let asPerson: Channel | null = null;
  const person = async () => {
    const { readLogin } = await import('./biofs/login-record.ts');
    const login = await readLogin(context.paths.dataDir);
    if (login === undefined || login.expiresAtMs <= Date.now()) return null;
    const signer = { secretKey: login.sessionKey, session: login.session };
    asPerson ??= openChannel({ address, network, signer });
    return asPerson;
  };
  try {
    return await use({ channel, self: identity.nodeId, network, person });
  } finally {
    channel.close();
    closed(asPerson);
  }
}

function closed(channel: Channel | null): void {
  channel?.close();
}

/** `own` is the node of this data folder where that is a coordinator itself. */
function configured({ loaded }: Context, own: NodeId | null): string {
  const { coordinator, endpoint, listen } = loaded.config;
  const reachedAt = endpoint ?? listen;
  if (coordinator !== null) return coordinator;
  if (own !== null && reachedAt !== null) return `${own}@${reachedAt}`;
  throw new AppError('USAGE', 'no coordinator is known', {
    hint: 'Give --coordinator node_<64 hex digits>@host:port, or set network.coordinator.',
  });
}
