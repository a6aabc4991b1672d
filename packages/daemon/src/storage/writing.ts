/**
 * The calls of an owner: OpenPut, Write, Remove.
 *
 * Invariants
 * W1  An object is announced by its owner's own session, and written by the key that announced it; it
 *     is removed on the word of its owner's wallet alone, whoever brings it.
 * W2  Nothing comes in where the owner does not let copies lie.
 * W3  A state id is good for one body: what failed is announced again, and goes on behind what is
 *     here of it.
 */

import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import {
  type Crypto,
  type Manifest,
  parseManifest,
  parseTombstone,
  type Signed,
  toHex,
} from '@helixmesh/protocol/sealing';
import { type Catalogue, mayLieIn, PUTS_MAX } from '@helixmesh/vault';
import { accountOf } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import type { Logger } from '../node/logger.ts';
import { type IncomingOptions, incomingBody } from './incoming-body.ts';
import { type Leases, makeLeases } from './leases.ts';
import { LEASE_MS, WRITES_PER_KEY_MAX } from './limits.ts';
import { objectNotFound, putRefused, withRoomHint } from './refusals.ts';
import { makeSlots } from './slots.ts';

export interface WritingOptions {
  readonly crypto: Crypto;
  readonly catalogue: Catalogue;
  /** Where the vault is; undefined when its operator does not say. */
  readonly zone: string | undefined;
  readonly listener: Pick<NetworkListener, 'callerOf'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly incoming?: IncomingOptions;
}

interface Announced {
  readonly signed: Signed<Manifest>;
  /** Bytes of the body that are here. */
  readonly offset: number;
}

type Writing = Pick<ServiceImpl<typeof BioNfs>, 'openPut' | 'write' | 'remove'>;

export function writingCalls(options: WritingOptions): Writing {
  const { crypto, now, catalogue, zone, listener, logger } = options;
  const leases: Leases<Announced> = makeLeases({ crypto, now });
  const slots = makeSlots({
    slotsMax: PUTS_MAX,
    perKeyMax: WRITES_PER_KEY_MAX,
    what: 'bodies come in',
  });
  const callerOf = (context: HandlerContext) => accountOf(listener.callerOf(context), 'put');

  return {
    async openPut(request, context) {
      const { account, publicKey } = callerOf(context);
      const signed = parseManifest(request.manifest);
      // First of all: grantees hold the signed manifest too, and learn nothing of what is here.
      if (signed.document.owner !== account) throw notOwner();
      const forecast = catalogue.forecast(signed);
      if (forecast.status === 'refused') throw putRefused(forecast.reason);
      const objectId = forecast.id;
      if (forecast.status === 'known') return { objectId, isKnown: true };
      if (!mayLieIn(signed.document, zone)) throw notHere();
      const offset = await catalogue.heldBytes(signed);
      const stateId = leases.open({
        publicKey,
        value: { signed, offset },
        untilMs: now() + LEASE_MS,
        sizeBytes: request.manifest.length,
      });
      return { objectId, isKnown: false, stateId, leaseMs: LEASE_MS, offset: BigInt(offset) };
    },

    async write(messages, context) {
      const { publicKey } = callerOf(context);
      using _ = slots.take(toHex(publicKey));
      using body = await incomingBody(messages, options.incoming);
      const holder = { stateId: body.stateId, publicKey };
      const { signed, offset } = leases.get(holder);
      leases.close(holder);
      const from = Number(body.offset);
      if (from !== 0 && from !== offset) throw notFromThere(offset);
      const outcome = await catalogue.put(signed, body.bytes, from).catch(withRoomHint);
      if (outcome.status === 'refused') throw putRefused(outcome.reason);
      logger.info({ bodyBytes: signed.document.bodyBytes }, 'an object was stored');
      return { objectId: outcome.id };
    },

    async remove({ objectId, tombstone }, context) {
      const caller = listener.callerOf(context);
      const signed = parseTombstone(tombstone);
      const { object, owner } = signed.document;
      // A node shows what the owner has signed; an account speaks for itself.
      const isOwn = caller.kind === 'node' || accountOf(caller, 'put').account === owner;
      if (!isOwn || object !== objectId) throw objectNotFound();
      const outcome = await catalogue.delete(signed);
      if (outcome === 'in_progress') throw putRefused('in_progress');
      if (outcome !== 'deleted') throw objectNotFound();
      logger.info({}, 'an object was removed');
      return {};
    },
  };
}

function notFromThere(offset: number): AppError {
  return new AppError('USAGE', `the body does not go on there: the vault holds ${offset} bytes`, {
    hint: 'Send the body from its first byte on, or from the offset that OpenPut has answered.',
  });
}

/** The manifest is somebody else's than who asks. */
export function notOwner(): AppError {
  return new AppError('ACCESS_REFUSED', 'the manifest is of another owner', {
    hint: 'Sign in with the wallet that signed the manifest.',
  });
}

/** The vault is where the owner does not let copies lie. */
export function notHere(): AppError {
  return new AppError('ACCESS_REFUSED', 'the owner does not let copies lie where this vault is', {
    hint: 'Use a vault in a zone that the manifest names.',
  });
}
