/**
 * The call by which an owner has a copy made: Replicate. The vault asks the owner's custodian where
 * the other copies lie, fetches from several of them at once, and goes on where it was when it is
 * asked again.
 *
 * Invariants
 * M1  Who asks is the object's owner, by a session, and nothing comes in where the owner does not let
 *     copies lie; the custodian and each of the other vaults look at that too.
 * M2  What is kept is what the owner has signed: each leaf is compared before it is kept, all of it
 *     before it is seen.
 */
import type { ServiceImpl } from '@connectrpc/connect';
import { AppError, type Digest } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import {
  type Crypto,
  custodianAddress,
  type Manifest,
  type NodeAddress,
  parseCustodian,
  parseManifest,
  type Signed,
  toHex,
  verifyDocument,
} from '@helixmesh/protocol/sealing';
import { type Catalogue, type Heads, mayLieIn } from '@helixmesh/vault';
import { accountOf } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Logger } from '../node/logger.ts';
import { REPLICATE_TELL_MS, REPLICATIONS_MAX, REPLICATIONS_PER_KEY_MAX } from './limits.ts';
import { openPeers, type PeersOptions } from './peers.ts';
import { pullBody } from './pull-body.ts';
import { putRefused, withRoomHint } from './refusals.ts';
import { makeSlots } from './slots.ts';
import { notHere, notOwner } from './writing.ts';

export interface ReplicatingOptions extends PeersOptions {
  readonly crypto: Crypto;
  readonly catalogue: Catalogue;
  readonly heads: Pick<Heads, 'custodianOf'>;
  /** Where the vault is; undefined when its operator does not say. */
  readonly zone: string | undefined;
  readonly listener: Pick<NetworkListener, 'callerOf'>;
  readonly logger: Logger;
}

export function replicatingCalls(
  options: ReplicatingOptions,
): Pick<ServiceImpl<typeof BioNfs>, 'replicate'> {
  const { catalogue, zone, listener, logger } = options;
  const slots = makeSlots({
    slotsMax: REPLICATIONS_MAX,
    perKeyMax: REPLICATIONS_PER_KEY_MAX,
    what: 'objects come from other vaults',
  });

  return {
    async *replicate(request, context) {
      const { account, publicKey } = accountOf(listener.callerOf(context), 'put');
      const signed = parseManifest(request.manifest);
      const { owner, bodyBytes } = signed.document;
      if (owner !== account) throw notOwner();
      const forecast = catalogue.forecast(signed);
      if (forecast.status === 'refused') throw putRefused(forecast.reason);
      const objectId = forecast.id;
      const stored = { objectId, doneBytes: BigInt(bodyBytes), isStored: true };
      if (forecast.status === 'known') {
        yield stored;
        return;
      }
      if (!mayLieIn(signed.document, zone)) throw notHere();
      const custodian = custodianOf(options, owner, request.custodian);
      const slot = slots.take(toHex(publicKey));
      const state = { doneBytes: 0 };
      const fetching = fetched(options, { id: objectId, signed, custodian, state }, context.signal);
      // Of an owner who has left nobody asks for the next message, and the end below does not come.
      const ended = fetching.then(ignore, ignore).finally(() => slot[Symbol.dispose]());
      while ((await Promise.race([ended, after(REPLICATE_TELL_MS)])) === 'time') {
        yield { objectId, doneBytes: BigInt(state.doneBytes), isStored: false };
      }
      await fetching;
      logger.info({ bodyBytes }, 'a copy of an object was stored');
      yield { objectId, doneBytes: BigInt(state.doneBytes), isStored: false };
      yield stored;
    },
  };
}

interface Fetch {
  readonly id: Digest;
  readonly signed: Signed<Manifest>;
  readonly custodian: NodeAddress;
  readonly state: { doneBytes: number };
}

/** Ends when the object is stored. */
async function fetched(
  options: ReplicatingOptions,
  { id, signed, custodian, state }: Fetch,
  signal: AbortSignal,
): Promise<void> {
  const { catalogue, crypto, logger } = options;
  const { document: manifest } = signed;
  using peers = openPeers(options);
  const others = await peers.announce(custodian, { object: id, state: 'coming' }, signal);
  const fromByte = await catalogue.heldBytes(signed);
  state.doneBytes = fromByte;
  let failure: AppError | undefined;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const leaf of pullBody({ crypto, manifest, peers: others, fromByte, signal })) {
        yield leaf;
        state.doneBytes += leaf.length;
      }
    } catch (error) {
      failure = AppError.from(error);
      // Not a body that is another one: what was kept of it was verified, and stays.
      throw new AppError('PEER_UNREACHABLE', 'the other vaults do not give the rest');
    }
  }
  const outcome = await catalogue.put(signed, body(), fromByte).catch((error) => {
    return withRoomHint(failure ?? error);
  });
  if (outcome.status === 'refused') throw putRefused(outcome.reason);
  await peers.announce(custodian, { object: id, state: 'stored' }, signal).catch((error) => {
    // The owner who waits for it is told by us; the custodian hears of it with the next scrub.
    logger.debug({ code: AppError.from(error).code }, 'a copy was not announced');
  });
}

/** Where the owner's custodian is: what is known here, else what came. Throws ACCESS_REFUSED. */
function custodianOf(
  { crypto, network, heads }: ReplicatingOptions,
  owner: string,
  bytes: Uint8Array,
): NodeAddress {
  const sent = parseCustodian(bytes);
  const verdict = verifyDocument(crypto, sent, { network, signer: owner });
  if (verdict.status === 'invalid' || sent.document.owner !== owner) {
    throw new AppError('ACCESS_REFUSED', 'the owner has not signed who their custodian is', {
      hint: 'Sign in again with `biofs login`, which makes that statement.',
    });
  }
  const known = heads.custodianOf(owner);
  const isLater = known === undefined || sent.document.issuedAtMs >= known.issuedAtMs;
  return custodianAddress(isLater ? sent.document : known);
}

function after(timeMs: number): Promise<'time'> {
  return new Promise((resolve) => setTimeout(() => resolve('time'), timeMs).unref());
}

function ignore(): void {}
