/** The calls that tell what is here: Discover to anybody, List and Stat to the owner alone. */

import type { ServiceImpl } from '@connectrpc/connect';
import type { Digest, NodeId } from '@helixmesh/protocol';
import { parseDigest } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import type { Catalogue, ObjectFacts } from '@helixmesh/vault';
import { accountOf } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import { VERSION } from '../node/version.ts';
import { objectNotFound } from './refusals.ts';

export interface ListingOptions {
  readonly nodeId: NodeId;
  readonly network: Digest;
  readonly roles: readonly string[];
  readonly zone: string | undefined;
  readonly catalogue: Catalogue;
  /** Blocks of an object that scrubbing has not found anywhere. */
  readonly lostBlocksOf: (id: Digest) => number;
  readonly listener: Pick<NetworkListener, 'callerOf'>;
}

type Listing = Pick<ServiceImpl<typeof BioNfs>, 'discover' | 'list' | 'stat'>;

export function listingCalls(options: ListingOptions): Listing {
  const { nodeId, network, roles, zone = '', catalogue, listener } = options;
  const wireFacts = (facts: ObjectFacts) => ({
    ...factsOf(facts),
    lostBlocks: options.lostBlocksOf(facts.id),
  });
  return {
    discover: () => ({ nodeId, network, roles: [...roles], zone, version: VERSION }),

    async *list(_request, context) {
      const { account } = accountOf(listener.callerOf(context), 'list');
      for (const facts of catalogue.list(account)) yield wireFacts(facts);
    },

    stat(request, context) {
      const { account } = accountOf(listener.callerOf(context), 'list');
      const facts = catalogue.stat(parseDigest(request.objectId));
      if (facts?.owner !== account) throw objectNotFound();
      return wireFacts(facts);
    },
  };
}

function factsOf({ id, owner, bodyBytes, bodyCid, putAtMs }: ObjectFacts) {
  return {
    objectId: id,
    owner,
    bodyBytes: BigInt(bodyBytes),
    bodyCid,
    putAtMs: BigInt(putAtMs),
  };
}
