/** The option --genesis: a file, or the address of a seed that is asked for the document. */
import { AppError, DIGEST_PATTERN, type Digest } from '@helixmesh/protocol';
import type { Seeded } from '@helixmesh/protocol/sealing';

/** Whether `genesis` names a node, and not a file. */
export function isSeedAddress(genesis: string): boolean {
  return /^node_[0-9a-f]{64}@/.test(genesis);
}

/** `network` is the id that the network must have; undefined for whichever the seed is in. */
export async function askedSeed(genesis: string, network: string | undefined): Promise<Seeded> {
  if (network !== undefined && !DIGEST_PATTERN.test(network)) {
    throw new AppError('USAGE', '--network is not the id of a network', {
      hint: 'Give sha256: and 64 hex digits, as `helixmesh init` prints it.',
    });
  }
  const { askSeed } = await import('@helixmesh/client/network');
  const { parseNodeAddress } = await import('@helixmesh/protocol/sealing');
  return askSeed(parseNodeAddress(genesis), (network as Digest | undefined) ?? null);
}
