/**
 * The calls of a reader: Open, Renew, Close, Read, ReadTags, ReadNodes.
 *
 * Invariants
 * R1  Every piece that is sent is asked for again: its lease holds and its object is still there. What
 *     was revoked ends with the lease, within a minute, in the middle of a body too.
 * R2  A piece is made when the one before it has been taken: memory is the same however slow a reader
 *     is, and `READS_MAX` bounds all of them.
 */

import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { AppError } from '@helixmesh/protocol';
import type { BioNfs } from '@helixmesh/protocol/bionfs';
import { encodeDocument, type Range, toHex } from '@helixmesh/protocol/sealing';
import { accountOf } from '../network/caller.ts';
import type { NetworkListener } from '../network/listener.ts';
import { type Holder, type Leases, makeLeases } from './leases.ts';
import { type Ask, type Licence, type LicenceOptions, licenceFor, parseAsk } from './licence.ts';
import { CHUNK_BYTES, LEASE_MS, READS_MAX, READS_PER_KEY_MAX } from './limits.ts';
import { objectNotFound } from './refusals.ts';
import { makeSlots } from './slots.ts';
import { rangeOf, wireRange } from './wire.ts';

export interface ReadingOptions extends LicenceOptions {
  readonly listener: Pick<NetworkListener, 'callerOf'>;
  /** Told of every piece that is sent. */
  readonly onSent?: ((part: SentPart, bytes: number) => void) | undefined;
}

export type SentPart = 'body' | 'tags' | 'nodes';

interface OpenObject {
  readonly ask: Ask;
  readonly licence: Licence;
}

type Reading = Pick<
  ServiceImpl<typeof BioNfs>,
  'open' | 'renew' | 'close' | 'read' | 'readTags' | 'readNodes'
>;

export function readingCalls(options: ReadingOptions): Reading {
  const { crypto, now, catalogue, listener, onSent } = options;
  const leases: Leases<OpenObject> = makeLeases({ crypto, now });
  const slots = makeSlots({
    slotsMax: READS_MAX,
    perKeyMax: READS_PER_KEY_MAX,
    what: 'bodies are read',
  });
  const callerOf = (context: HandlerContext) => {
    const caller = listener.callerOf(context);
    return caller.kind === 'node' ? caller : accountOf(caller, 'read');
  };
  const leaseMsOf = ({ untilMs }: Licence) => Math.max(0, Math.min(LEASE_MS, untilMs - now()));

  /** The bytes of a source in messages, as long as the lease holds (R1). */
  async function* sent(
    holder: Holder,
    [part, source]: readonly [SentPart, AsyncIterable<Uint8Array>],
    { signal }: HandlerContext,
  ) {
    using slot = slots.take(toHex(holder.publicKey));
    // Of a reader who has left nobody asks for the next piece, and the end below does not come.
    signal.addEventListener('abort', () => slot[Symbol.dispose](), { once: true });
    for await (const piece of source) {
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
        const { id } = leases.get(holder).licence.object;
        if (catalogue.stat(id) === undefined) throw objectNotFound();
        const data = piece.subarray(at, at + CHUNK_BYTES);
        onSent?.(part, data.length);
        yield { data };
      }
    }
  }

  return {
    async open(request, context) {
      const caller = callerOf(context);
      const { publicKey } = caller;
      const ask = parseAsk(request, caller);
      const licence = await licenceFor(options, ask);
      const leaseMs = leaseMsOf(licence);
      const { sizeBytes } = ask;
      const untilMs = now() + leaseMs;
      const stateId = leases.open({ publicKey, value: { ask, licence }, untilMs, sizeBytes });
      const manifest = encodeDocument(licence.object.signed);
      return { stateId, leaseMs, manifest, ranges: licence.ranges.map(wireRange) };
    },

    async renew({ stateId }, context) {
      const holder = { stateId, publicKey: callerOf(context).publicKey };
      const { ask } = leases.get(holder);
      const leaseMs = leaseMsOf(await licenceFor(options, ask));
      leases.renew(holder, now() + leaseMs);
      return { leaseMs };
    },

    close({ stateId }, context) {
      leases.close({ stateId, publicKey: callerOf(context).publicKey });
      return {};
    },

    async *read({ stateId, range }, context) {
      const holder = { stateId, publicKey: callerOf(context).publicKey };
      const { object, ranges } = leases.get(holder).licence;
      const asked = rangeOf(range ?? NO_BYTES);
      if (!ranges.some((open) => isWithin(asked, open))) throw notOpened();
      yield* sent(holder, ['body', object.read(asked)], context);
    },

    async *readTags({ stateId }, context) {
      const holder = { stateId, publicKey: callerOf(context).publicKey };
      yield* sent(holder, ['tags', leases.get(holder).licence.object.tags()], context);
    },

    async *readNodes({ stateId }, context) {
      const holder = { stateId, publicKey: callerOf(context).publicKey };
      const { object, ranges } = leases.get(holder).licence;
      const whole = { start: 0, end: object.signed.document.bodyBytes };
      if (!ranges.some((open) => isWithin(whole, open))) throw notOpened();
      yield* sent(holder, ['nodes', object.nodes()], context);
    },
  };
}

const NO_BYTES = { start: 0n, end: 0n };

function isWithin(inner: Range, outer: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function notOpened(): AppError {
  return new AppError('ACCESS_REFUSED', 'not all of these bytes were opened', {
    hint: 'Open the object with the ranges that are to be read.',
  });
}
