/**
 * Blocks for a scrub from the other vaults of an object: the owner's custodian, whom the owner's
 * statement names, says where they are, and hears how the copy here is. Nothing here is believed:
 * the scrub compares each block with its CID.
 */
import type { OpenBody } from '@helixmesh/client/biofs';
import type { Digest } from '@helixmesh/protocol';
import { type Crypto, custodianAddress, inPieces, joinBytes } from '@helixmesh/protocol/sealing';
import {
  BLOCK_BYTES_MAX,
  type BlockPlace,
  buildDag,
  type Cid,
  cidOf,
  type Heads,
  isBlockOf,
  type ObjectFacts,
} from '@helixmesh/vault';
import { REPAIR_CALL_MS } from './limits.ts';
import { openPeers, type Peer, type PeersOptions } from './peers.ts';
import type { Repair } from './upkeep.ts';

export interface RepairOptions extends PeersOptions {
  readonly crypto: Crypto;
  readonly heads: Pick<Heads, 'custodianOf'>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** The object that is being repaired: a scrub goes through one after the other. */
interface Current {
  readonly id: Digest;
  readonly peers: readonly Peer[];
  readonly bodies: Map<Peer, OpenBody>;
  /** Blocks of the list of nonces and tags, made anew from the list of a peer. */
  tags?: ReadonlyMap<Cid, Uint8Array>;
}

export function repairFrom(options: RepairOptions): Repair {
  const { crypto, heads, signal } = options;
  const peers = openPeers(options);
  const owners = new Map<Digest, string>();
  let current: Current | undefined;
  const limited = () => AbortSignal.any([signal, AbortSignal.timeout(REPAIR_CALL_MS)]);

  async function announce(object: Digest, state: 'damaged' | 'stored'): Promise<readonly Peer[]> {
    const custodian = heads.custodianOf(owners.get(object) ?? '');
    if (custodian === undefined) return [];
    return await peers.announce(custodianAddress(custodian), { object, state }, limited());
  }

  async function currentOf({ id, owner }: ObjectFacts): Promise<Current> {
    if (current?.id === id) return current;
    leave(current);
    owners.set(id, owner);
    const found = await announce(id, 'damaged').catch(() => []);
    current = { id, peers: found, bodies: new Map() };
    return current;
  }

  return {
    replica: {
      async get(cid, place) {
        const object = await currentOf(place.object);
        for (const peer of object.peers) {
          try {
            const opened = object.bodies.get(peer) ?? (await peer.open(limited()));
            object.bodies.set(peer, opened);
            const block = await blockOf(
              crypto,
              { object, opened, signal: limited() },
              { cid, place },
            );
            if (block !== undefined && isBlockOf(crypto, cid, block)) return block;
          } catch {
            // The next one may have it; what nobody has is lost, and said by the scrub.
            close(object.bodies.get(peer));
            object.bodies.delete(peer);
            signal.throwIfAborted();
          }
        }
        return undefined;
      },
    },
    async ended({ lacking }) {
      const whole = [...owners.keys()].filter((id) => !lacking.has(id));
      // A custodian that is offline hears of it with the next scrub that finds something.
      for (const id of whole) await announce(id, 'stored').catch(() => undefined);
    },
    [Symbol.dispose]() {
      leave(current);
      peers[Symbol.dispose]();
    },
  };
}

function leave(object: Current | undefined): void {
  for (const body of object?.bodies.values() ?? []) close(body);
}

/** How a peer takes the farewell is no news. */
function close(body: OpenBody | undefined): void {
  void body?.close().catch(() => undefined);
}

interface At {
  readonly object: Current;
  readonly opened: OpenBody;
  readonly signal: AbortSignal;
}

/** What a peer gives for a block; undefined where it has none that fits. */
async function blockOf(
  crypto: Crypto,
  { object, opened, signal }: At,
  { cid, place }: { readonly cid: Cid; readonly place: BlockPlace },
): Promise<Uint8Array | undefined> {
  if (place.tree === 'tags') {
    const known = object.tags?.get(cid);
    if (known !== undefined) return known;
    object.tags = await tagBlocks(crypto, place.object, opened.tags(signal));
    return object.tags.get(cid);
  }
  if (place.range === undefined) {
    for await (const node of opened.nodes(signal)) if (isBlockOf(crypto, cid, node)) return node;
    return undefined;
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of opened.read(place.range, signal)) {
    size += part.length;
    if (size > BLOCK_BYTES_MAX) return undefined;
    parts.push(part);
  }
  return joinBytes(parts);
}

/** Leaves and nodes of the list, as they were made when the object came in. */
async function tagBlocks(
  crypto: Crypto,
  { tagsBytes }: ObjectFacts,
  tags: AsyncIterable<Uint8Array>,
): Promise<ReadonlyMap<Cid, Uint8Array>> {
  const blocks = new Map<Cid, Uint8Array>();
  const dag = buildDag(crypto, async (cid, block) => blocks.set(cid, block));
  let size = 0;
  for await (const leaf of inPieces(tags, BLOCK_BYTES_MAX)) {
    size += leaf.length;
    if (size > tagsBytes) break;
    const cid = cidOf(crypto, 'raw', leaf);
    blocks.set(cid, leaf.slice());
    await dag.append(cid, leaf.length);
  }
  await dag.finish();
  return blocks;
}
