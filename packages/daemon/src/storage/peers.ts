/**
 * The other vaults of an object, as a vault that lacks some of it finds them: the owner's custodian
 * says where copies lie and permits this vault to fetch from them. Nothing that comes is trusted.
 */
import { bionfsVault, type OpenBody } from '@helixmesh/client/biofs';
import { type Channel, openChannel } from '@helixmesh/client/network';
import { AppError, type Digest } from '@helixmesh/protocol';
import {
  encodeDocument,
  formatNodeAddress,
  fromBase64,
  type NodeAddress,
  parseNodeAddress,
  type ReplicaState,
  type Signed,
  toBase64,
} from '@helixmesh/protocol/sealing';
import type { ZoneStatement } from '@helixmesh/scheduler';
import type { NodeIdentity } from '../network/identity.ts';
import { PEERS_MAX } from './limits.ts';

export interface PeersOptions {
  readonly identity: NodeIdentity;
  readonly network: Digest;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What the operator has signed of where this vault is; read anew each time. */
  readonly zoneStatement: () => Promise<Signed<ZoneStatement> | null>;
}

/** A vault that may have a copy. */
export interface Peer {
  readonly name: string;
  /** Opens the whole object. Throws what the vault answers. */
  open(signal: AbortSignal): Promise<OpenBody>;
}

/** To be disposed of: connections are kept until then. */
export interface Peers extends Disposable {
  /**
   * Tells the custodian how the copy here is, and answers with who has others. Throws
   * CUSTODIAN_OFFLINE, and what the custodian answers.
   */
  announce(
    custodian: NodeAddress,
    copy: { readonly object: Digest; readonly state: ReplicaState },
    signal: AbortSignal,
  ): Promise<readonly Peer[]>;
}

export function openPeers(options: PeersOptions): Peers {
  const { identity, network, now, zoneStatement } = options;
  const channels = new Map<string, Channel>();

  function channelTo(address: NodeAddress): Channel {
    const name = formatNodeAddress(address);
    const known = channels.get(name);
    if (known !== undefined) return known;
    const signer = { secretKey: identity.signingKey.secretKey };
    const channel = openChannel({ address, network, now, signer, certificate: identity });
    channels.set(name, channel);
    return channel;
  }

  async function ask(
    custodian: NodeAddress,
    { object, state }: { readonly object: Digest; readonly state: ReplicaState },
    signal: AbortSignal,
  ) {
    const statement = await zoneStatement();
    const body = {
      object,
      state,
      zoneStatement: statement === null ? null : toBase64(encodeDocument(statement)),
    };
    try {
      return await channelTo(custodian).call('announceReplica', { params: {}, body, signal });
    } catch (error) {
      throw AppError.from(error).code === 'PEER_UNREACHABLE' ? custodianOffline(error) : error;
    }
  }

  return {
    async announce(custodian, copy, signal) {
      const { vaults, permit } = await ask(custodian, copy, signal);
      const others = vaults.filter((name) => !name.startsWith(`${identity.nodeId}@`));
      return others.slice(0, PEERS_MAX).map((name) => {
        let first: string | undefined = permit;
        return {
          name,
          async open(own) {
            // A permit ends: whoever opens again asks for another one.
            const fresh = first ?? (await ask(custodian, copy, own)).permit;
            first = undefined;
            const { bionfs } = channelTo(parseNodeAddress(name));
            const request = {
              objectId: copy.object,
              purpose: { pipeline: 'replicate', isCommercial: false, zone: 'ZZ' },
              ranges: [],
              grants: [],
              grantSegments: [],
              replicaPermit: fromBase64(fresh, 'a permit'),
            };
            return await bionfsVault({ name, bionfs }).open(request, own);
          },
        };
      });
    },
    [Symbol.dispose]() {
      for (const channel of channels.values()) channel.close();
    },
  };
}

function custodianOffline(cause: unknown): AppError {
  return new AppError('CUSTODIAN_OFFLINE', "the owner's custodian does not answer this vault", {
    hint: 'Try again when it is online: it has to say where the other copies lie.',
    cause,
  });
}
