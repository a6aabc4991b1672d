/**
 * Revocation heads at a coordinator: what owners have revoked, as their custodians attest it. The
 * rules are those of a vault (`@helixmesh/vault`, heads); here they are asked for and kept in SQL.
 */
import { openChannel } from '@helixmesh/client/network';
import type { Digest } from '@helixmesh/protocol';
import {
  type Crypto,
  fromBase64,
  isHeadFresh,
  type KnownHead,
  parseCustodian,
  parseHeadAttestation,
  parseNodeAddress,
  parseRevocationHead,
  textOf,
  utf8,
} from '@helixmesh/protocol/sealing';
import { type HeadStore, type Heads, type HeadUpdate, openHeads } from '@helixmesh/vault';
import type { Database } from '../../sql/database.ts';

export interface HeadsOptions {
  readonly database: Database;
  readonly crypto: Crypto;
  readonly network: Digest;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a custodian answers for an owner; throws what the channel throws, and INPUT_MALFORMED. */
export type AskHead = (address: string, owner: string, signal: AbortSignal) => Promise<HeadUpdate>;

export interface FreshHead {
  readonly known: KnownHead;
  readonly attestedAtMs: number;
}

/** The heads that this coordinator knows. Throws what the database throws. */
export function openCoordinatorHeads(options: HeadsOptions): Promise<Heads> {
  return openHeads({ ...options, store: sqlHeadStore(options.database) });
}

/** The last head of an owner if their custodian has said within a minute that it is; else null. */
export function freshHead(heads: Heads, owner: string, nowMs: number): FreshHead | null {
  const state = heads.stateOf(owner);
  if (state === undefined || !isHeadFresh(state.known, state.attestation, nowMs)) return null;
  return { known: state.known, attestedAtMs: Math.min(state.attestation.atMs, nowMs) };
}

/** A connection for each question: there is one for each owner every 30 s. */
export function askOverNetwork({ network, now }: Pick<HeadsOptions, 'network' | 'now'>): AskHead {
  return async (address, owner, signal) => {
    const channel = openChannel({ address: parseNodeAddress(address), network, now });
    try {
      const reply = await channel.call('getHead', { params: { owner }, signal });
      return {
        custodian: parseCustodian(fromBase64(reply.custodian, 'a custodian')),
        head: parseRevocationHead(fromBase64(reply.head, 'a head')),
        attestation: parseHeadAttestation(fromBase64(reply.attestation, 'an attestation')),
      };
    } finally {
      channel.close();
    }
  };
}

function sqlHeadStore(database: Database): HeadStore {
  return {
    async write({ owner, bytes }) {
      const record = textOf(bytes, 'the record of an owner');
      await database
        .insertInto('network_heads')
        .values({ owner, record })
        .onConflict((conflict) => conflict.column('owner').doUpdateSet({ record }))
        .execute();
    },
    async *list() {
      const rows = await database.selectFrom('network_heads').selectAll().execute();
      for (const { owner, record } of rows) yield { owner, bytes: utf8(record) };
    },
  };
}
