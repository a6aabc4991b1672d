/**
 * What a vault knows of owners: who their custodian is, which revocation head is the last one, and
 * when the custodian said that it still is (`owner-entry.ts`).
 *
 * Invariants
 * N1  A head is durable before it counts, so that no restart goes back to a lower number (K2).
 * N4  Where what was kept of an owner is damaged, no head of theirs is taken: it could be an old one.
 *
 * Left out: who asks (signed requests), and for whom the vault keeps heads at all. Attestations are
 * not kept: after a restart no grant counts until the custodian has spoken, some 20 s.
 */
import { AppError, type Digest } from '@helixmesh/protocol';
import type { Crypto, Custodian, RevocationHead, Signed } from '@helixmesh/protocol/sealing';
import { keyedQueue } from '../blocks/keyed-queue.ts';
import type { RevocationState } from '../gate/licence-gate.ts';
import { HEADS_BYTES_MAX, HEADS_MAX } from '../limits.ts';
import type { HeadStore } from './head-store.ts';
import {
  decodeEntry,
  encodeEntry,
  type HeadUpdate,
  type OwnerEntry,
  type UpdateRefusal,
  updated,
} from './owner-entry.ts';

export interface HeadsOptions {
  readonly crypto: Crypto;
  readonly network: Digest;
  readonly store: HeadStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type HeadRefusal =
  | UpdateRefusal
  /** What the vault kept of the owner is damaged. */
  | 'damaged'
  /** As many owners, or as much of them, as one vault may know: their grants end within a minute. */
  | 'full';

export interface HeadOutcome {
  /** Number of the last head known now; 0 for none. */
  readonly number: number;
  /** Undefined when all that came was taken. */
  readonly refused: HeadRefusal | undefined;
}

export interface Heads {
  /** Takes what a custodian sends. Throws what the store throws. */
  push(update: HeadUpdate): Promise<HeadOutcome>;
  /** For the licence gate; undefined while no custodian has attested a head since the start. */
  stateOf(owner: string): RevocationState | undefined;
  /** Grants that the last known head of an owner names, attested or not: what is revoked stays so. */
  revokedOf(owner: string): readonly Digest[];
  custodianOf(owner: string): Custodian | undefined;
  /** The last known head of an owner, as they have signed it. */
  headOf(owner: string): Signed<RevocationHead> | undefined;
  /** Owners of whom what was kept cannot be read. */
  readonly damaged: readonly string[];
}

/** Opens what is known of owners. Throws what the store throws. */
export async function openHeads({ crypto, network, store, now }: HeadsOptions): Promise<Heads> {
  const entries = new Map<string, OwnerEntry>();
  const sizes = new Map<string, number>();
  let totalBytes = 0;
  const damaged: string[] = [];
  const queue = keyedQueue();

  function count(owner: string, bytes: number): void {
    totalBytes += bytes - (sizes.get(owner) ?? 0);
    sizes.set(owner, bytes);
  }

  for await (const record of store.list()) {
    try {
      entries.set(record.owner, decodeEntry({ crypto, network }, record));
      count(record.owner, record.bytes.length);
    } catch (error) {
      if (AppError.from(error).code !== 'INPUT_MALFORMED') throw error;
      damaged.push(record.owner);
    }
  }

  async function push(owner: string, update: HeadUpdate): Promise<HeadOutcome> {
    const held = entries.get(owner);
    const number = held?.known?.head.number ?? 0;
    if (damaged.includes(owner)) return { number, refused: 'damaged' };
    if (held === undefined && entries.size >= HEADS_MAX) return { number, refused: 'full' };
    const before = held ?? {};
    const context = { crypto, network, owner, nowMs: now() };
    const { entry, refused } = updated(context, before, update);
    if (entry.custodian !== before.custodian || entry.head !== before.head) {
      const bytes = encodeEntry(entry);
      const growth = bytes.length - (sizes.get(owner) ?? 0);
      if (totalBytes + growth > HEADS_BYTES_MAX) return { number, refused: 'full' };
      await store.write({ owner, bytes });
      count(owner, bytes.length);
    }
    if (entry !== before) entries.set(owner, entry);
    return { number: entry.known?.head.number ?? 0, refused };
  }

  return {
    damaged,
    async push(update) {
      const { owner } = update.attestation.document;
      return await queue(owner, () => push(owner, update));
    },
    stateOf(owner) {
      const { known, attestation } = entries.get(owner) ?? {};
      return known && attestation && { known, attestation };
    },
    revokedOf: (owner) => entries.get(owner)?.known?.head.revoked ?? [],
    custodianOf: (owner) => entries.get(owner)?.custodian?.document,
    headOf: (owner) => entries.get(owner)?.head,
  };
}
