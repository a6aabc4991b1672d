/** What a seed tells one who is in no network yet. */
import { AppError, type Digest } from '@helixmesh/protocol';
import { nodeCrypto } from '@helixmesh/protocol/node';
import {
  formatNodeAddress,
  type NodeAddress,
  readSeed,
  type Seeded,
} from '@helixmesh/protocol/sealing';
import { openChannel } from './channel.ts';

/** Nothing is signed, so it binds nothing. */
const NO_NETWORK = `sha256:${'0'.repeat(64)}` as Digest;

/**
 * The network of the seed, which the key in its address has spoken for. Throws PEER_NOT_TRUSTED where
 * it is not `expected` (null: any) or the list is not the seed's own, and what the call throws.
 */
export async function askSeed(
  address: NodeAddress,
  expected: Digest | null,
  signal?: AbortSignal,
): Promise<Seeded> {
  const channel = openChannel({ address, network: NO_NETWORK });
  try {
    const reply = await channel.call('getSeed', { params: {}, signal });
    const seeded = readSeed(nodeCrypto, reply, { seed: address.nodeId, expected });
    if (typeof seeded === 'object') return seeded;
    const what = seeded === 'network' ? 'it is of another network' : 'its list is not its own';
    const name = formatNodeAddress(address);
    throw new AppError('PEER_NOT_TRUSTED', `${name} is not the seed that was asked for: ${what}`, {
      hint: 'Ask for the address of the seed and the id of the network again.',
    });
  } finally {
    channel.close();
  }
}
