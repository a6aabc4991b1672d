/**
 * Going on with a body that broke off. What has come of it lies in the blockstore by its content; the
 * partial store says in which order. The blocks are hashed again when the body goes on, not written, and all of it
 * is held against the manifest as if it came anew: nothing of an earlier try is believed.
 *
 * Invariants
 * U1  A leaf is in the list after its block is durable.
 * U2  A body that turned out to be another one than its manifest's begins anew.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import type { ByteSource, Manifest } from '@helixmesh/protocol/sealing';
import type { Blockstore } from '../blocks/blockstore.ts';
import type { Cid } from '../blocks/cid.ts';
import { BLOCK_BYTES_MAX } from '../limits.ts';
import type { PartialStore } from './partial-store.ts';
import type { Pin } from './pins.ts';

export interface Resumption {
  /** How much of a body is here, bytes from its first one on; whole leaves, or all of it. */
  heldBytes(id: Digest, manifest: Manifest): Promise<number>;
  /** The body from its first byte on. */
  begin(id: Digest, resumed: Resumed): Promise<ResumedBody>;
  /** What became of it: all is kept, or `error` was thrown. Answers whether it can be gone on with. */
  end(id: Digest, error?: unknown): Promise<boolean>;
  /** Leaves of bodies of which something has come since: they stay. */
  leaves(sinceMs: number): AsyncIterable<Cid>;
  /** Forgets bodies of which nothing has come since. */
  sweep(beforeMs: number): Promise<void>;
}

export interface Resumed {
  /** Bytes of the body that are here. */
  readonly offset: number;
  /** What comes behind them. */
  readonly rest: ByteSource;
  /** Holds each leaf from before it is looked at. */
  readonly pin: Pin;
}

export interface ResumedBody {
  readonly bytes: ByteSource;
  /** Leaves that are here: they need not be put. */
  readonly held: ReadonlySet<Cid>;
  /** To be called with each leaf of the body once it is durable (U1). */
  readonly onLeaf: (leaf: Cid) => Promise<void>;
}

export function makeResumption(
  blocks: Pick<Blockstore, 'get' | 'has'>,
  partials: PartialStore,
): Resumption {
  async function* joined(id: Digest, leaves: readonly Cid[], { rest, pin }: Resumed) {
    for (const [at, leaf] of leaves.entries()) {
      pin.add(leaf);
      const block = await blocks.get(leaf).catch(unlessDamaged);
      if (block === undefined) {
        await partials.replace(id, leaves.slice(0, at));
        throw partLost();
      }
      yield block;
    }
    yield* rest;
  }

  return {
    async heldBytes(id, { bodyBytes }) {
      const leaves = await partials.read(id);
      let held = 0;
      for (const leaf of leaves) {
        if (held >= bodyBytes || !(await blocks.has(leaf))) break;
        held += BLOCK_BYTES_MAX;
      }
      return Math.min(held, bodyBytes);
    },
    async begin(id, resumed) {
      const count = Math.ceil(resumed.offset / BLOCK_BYTES_MAX);
      const leaves = (await partials.read(id)).slice(0, count);
      if (leaves.length < count) throw partLost();
      await partials.replace(id, leaves);
      let seen = 0;
      return {
        bytes: joined(id, leaves, resumed),
        held: new Set(leaves),
        async onLeaf(leaf) {
          seen += 1;
          if (seen > count) await partials.append(id, leaf);
        },
      };
    },
    async end(id, error) {
      const isKeptFor = error !== undefined && AppError.from(error).code !== 'CIPHERTEXT_INVALID';
      // What stays is swept later, and harms nobody until then.
      if (!isKeptFor) await partials.delete(id).catch(ignore);
      return isKeptFor;
    },
    async *leaves(sinceMs) {
      for await (const { id, putAtMs } of partials.list()) {
        if (putAtMs > sinceMs) yield* await partials.read(id);
      }
    },
    async sweep(beforeMs) {
      for await (const { id, putAtMs } of partials.list()) {
        if (putAtMs <= beforeMs) await partials.delete(id);
      }
    },
  };
}

function ignore(): void {}

function unlessDamaged(error: unknown): undefined {
  if (AppError.from(error).code !== 'CIPHERTEXT_INVALID') throw error;
}

function partLost(): AppError {
  return new AppError('LEASE_EXPIRED', 'the vault has lost a part of what had come in', {
    hint: 'Announce the object again: the answer says from where on the body is needed.',
  });
}
