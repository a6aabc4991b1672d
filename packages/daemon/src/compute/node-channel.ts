/** A channel in the name of this node, to a custodian, a vault or another node. */
import { type Channel, openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import { parseNodeAddress } from '@helixmesh/protocol/sealing';
import type { NodeIdentity } from '../network/identity.ts';

export interface NodeChannelOptions {
  readonly network: Digest;
  readonly identity: NodeIdentity;
}

/** `address` is `node_…@host:port`. Who opens it closes it. */
export function channelTo({ identity, network }: NodeChannelOptions, address: string): Channel {
  const { secretKey } = identity.signingKey;
  const to = parseNodeAddress(address);
  return openChannel({ address: to, network, signer: { secretKey }, certificate: identity });
}
