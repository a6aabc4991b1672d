/** Gives revocation heads to vaults by BioNFS, signed with the custodian's node key. */
import { openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import type { NodeIdentity } from '../network/identity.ts';
import type { PushHead } from './head-pusher.ts';

export interface BionfsPushOptions {
  readonly identity: NodeIdentity;
  readonly network: Digest;
  readonly now: () => number;
}

/** A connection for each push: there is one for each vault every 20 s. */
export function pushByBionfs({ identity, network, now }: BionfsPushOptions): PushHead {
  return async (address, head, signal) => {
    const channel = openChannel({
      address,
      network,
      now,
      signer: { secretKey: identity.signingKey.secretKey },
      certificate: identity,
    });
    try {
      const held = await channel.bionfs.pushHead({ ...head }, { signal });
      return { number: Number(held.number), head: held.head };
    } finally {
      channel.close();
    }
  };
}
